/** The head of an administration page, and their common styles. */
import "./admin.css";

import type { ReactNode } from "react";

interface PageHeadProps {
  readonly title: string;
  readonly about: string;
  /** Of a part of a page: h2. */
  readonly heading?: "h1" | "h2";
  /** What one can do here. */
  readonly children?: ReactNode;
}

export function PageHead({ title, about, heading: Heading = "h1", children }: PageHeadProps) {
  return (
    <div className="page-head">
      <div>
        <Heading>{title}</Heading>
        {about !== "" && <p className="quiet">{about}</p>}
      </div>
      {children}
    </div>
  );
}
