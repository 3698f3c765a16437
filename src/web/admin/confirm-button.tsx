/** An act that cannot be taken back: says what will go, and asks once. */
import { Button } from "@mantine/core";
import { useState } from "react";

import { ModalDialogue } from "../modal-dialogue.js";
import { Failure } from "./form.js";
import { texts } from "./strings.js";
import { useChange } from "./use-change.js";

interface ConfirmButtonProps {
  readonly label: string;
  /** Of whom or what, for those who do not see the row. */
  readonly whom: string;
  readonly question: string;
  readonly about: string;
  readonly act: () => Promise<unknown>;
  readonly touched: readonly string[];
}

export function ConfirmButton({ label, whom, question, about, act, touched }: ConfirmButtonProps) {
  const [isOpen, setOpen] = useState(false);
  const { mutate, isPending, error, reset } = useChange(act, touched);
  const close = (): void => {
    setOpen(false);
    reset();
  };
  return (
    <>
      <button className="link" aria-label={texts.of(label, whom)} onClick={() => setOpen(true)}>
        {label}
      </button>
      <ModalDialogue isOpen={isOpen} title={question} onClose={close}>
        <div className="form">
          <p>{about}</p>
          <Failure text={error?.message} />
          <div className="line end">
            <Button variant="default" onClick={close}>
              {texts.cancel}
            </Button>
            <Button
              className="grave"
              loading={isPending}
              onClick={() => mutate(undefined, { onSuccess: close })}
              data-autofocus
            >
              {label}
            </Button>
          </div>
        </div>
      </ModalDialogue>
    </>
  );
}
