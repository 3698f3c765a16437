/** A picture of the API as a blob, because an <img> cannot send the token. Without one there is a face for it. */
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";

import { apiUrl, get, isoOf } from "./request.js";
import { strings } from "./strings.js";

const NEWEST_EVERY_MS = 30_000;

interface PictureProps {
  readonly path: string;
  /** undefined: the newest */
  readonly atMs?: number;
  readonly widthPx: number;
  readonly alt: string;
  /** In its place until it is there, and where it cannot be had. */
  readonly meanwhile?: ReactNode;
}

export function Picture({ path, atMs, widthPx, alt, meanwhile }: PictureProps) {
  const query = { path, width: widthPx, ...(atMs === undefined ? {} : { at: isoOf(atMs) }) };
  const { data: blob } = useQuery({
    queryKey: ["picture", query],
    queryFn: async ({ signal }) => (await get(apiUrl("thumbnail.jpg", query), signal)).blob(),
    refetchInterval: atMs === undefined ? NEWEST_EVERY_MS : false,
    staleTime: NEWEST_EVERY_MS,
    gcTime: 60_000,
    retry: false,
  });
  const url = useBlobUrl(blob);
  if (url === undefined) {
    if (meanwhile !== undefined) return meanwhile;
    return (
      <span className="picture none" role="img" aria-label={strings.noPicture}>
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="M2 4h8v8H2zm9 3 3-2v6l-3-2z" />
        </svg>
      </span>
    );
  }
  return <img className="picture" src={url} alt={alt} width={16} height={9} />;
}

export function useBlobUrl(blob: Blob | undefined): string | undefined {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    if (blob === undefined) {
      setUrl(undefined);
      return;
    }
    const made = URL.createObjectURL(blob);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [blob]);
  return url;
}
