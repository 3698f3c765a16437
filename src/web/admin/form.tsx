/** A form of a dialogue: its fields, what the server says of the whole, and one button. */
import { Button } from "@mantine/core";
import type { ReactNode, SyntheticEvent } from "react";

interface FormProps {
  /** Of the button that sends it. */
  readonly label: string;
  readonly isBusy: boolean;
  readonly failure: string | undefined;
  readonly onSubmit: () => void;
  readonly children: ReactNode;
}

export function Form({ label, isBusy, failure, onSubmit, children }: FormProps) {
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <form className="form" onSubmit={submit}>
      {children}
      <Failure text={failure} />
      <div className="line end">
        <Button type="submit" loading={isBusy}>
          {label}
        </Button>
      </div>
    </form>
  );
}

/** Told to screen readers as soon as it is there. */
export function Failure({ text }: { readonly text: string | undefined }) {
  return (
    <p role="alert" className="failure">
      {text}
    </p>
  );
}
