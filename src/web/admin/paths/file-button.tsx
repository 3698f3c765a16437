/** A file of the person's own, as text. */
import { Button } from "@mantine/core";
import { useRef } from "react";

/** What the server takes of a text. */
const MOST_BYTES = 250_000;

interface FileButtonProps {
  readonly id: string;
  readonly label: string;
  readonly accept: string;
  readonly onText: (text: string, fileName: string) => void;
  readonly onTooLarge: () => void;
}

export function FileButton({ id, label, accept, onText, onTooLarge }: FileButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  const read = async (file: File): Promise<void> => {
    if (file.size > MOST_BYTES) onTooLarge();
    else onText(await file.text(), file.name);
  };
  return (
    <>
      <input
        ref={input}
        id={id}
        type="file"
        hidden
        accept={accept}
        onChange={({ currentTarget }) => {
          const file = currentTarget.files?.[0];
          if (file !== undefined) void read(file);
          // The same file may be chosen again once it was corrected.
          currentTarget.value = "";
        }}
      />
      <Button variant="default" onClick={() => input.current?.click()}>
        {label}
      </Button>
    </>
  );
}
