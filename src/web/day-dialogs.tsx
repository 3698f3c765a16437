/** The two dialogues of the day view: which keys there are, and a time to go to. */
import { Button } from "@mantine/core";
import { type SyntheticEvent, useRef } from "react";

import { ModalDialogue } from "./modal-dialogue.js";
import { strings } from "./strings.js";
import { localText, zone } from "./words.js";

export type Dialogue = "keys" | "go-to" | "exports" | undefined;

interface DayDialogsProps {
  readonly open: Dialogue;
  readonly shownMs: number;
  readonly onClose: () => void;
  readonly onGoTo: (atMs: number) => void;
}

export function DayDialogs({ open, shownMs, onClose, onGoTo }: DayDialogsProps) {
  return (
    <>
      <ModalDialogue isOpen={open === "keys"} title={strings.player.keys} onClose={onClose}>
        <dl className="keys">
          {strings.keysHelp.map(([keys, what]) => (
            <div key={keys}>
              <dt>{keys}</dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
      </ModalDialogue>
      <ModalDialogue isOpen={open === "go-to"} title={strings.player.goTo} onClose={onClose}>
        <GoTo shownMs={shownMs} onGoTo={onGoTo} />
      </ModalDialogue>
    </>
  );
}

function GoTo({ shownMs, onGoTo }: Pick<DayDialogsProps, "shownMs" | "onGoTo">) {
  const input = useRef<HTMLInputElement>(null);
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    const atMs = new Date(input.current?.value ?? "").getTime();
    if (!Number.isNaN(atMs)) onGoTo(atMs);
  };
  return (
    <form className="line" onSubmit={submit}>
      <label htmlFor="go-to">{zone(shownMs)}</label>
      <input id="go-to" ref={input} type="datetime-local" step={1} defaultValue={localText(shownMs)} required />
      <Button type="submit">{strings.player.go}</Button>
    </form>
  );
}
