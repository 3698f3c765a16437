/** The two dialogues of the day view: which keys there are, and a time to go to. */
import { Button, Modal } from "@mantine/core";
import { type SyntheticEvent, useRef } from "react";

import { strings } from "./strings.js";
import { zone } from "./words.js";

export type Dialogue = "keys" | "go-to" | undefined;

interface DayDialogsProps {
  readonly open: Dialogue;
  readonly shownMs: number;
  readonly onClose: () => void;
  readonly onGoTo: (atMs: number) => void;
}

export function DayDialogs({ open, shownMs, onClose, onGoTo }: DayDialogsProps) {
  const common = {
    onClose,
    closeButtonProps: { "aria-label": strings.close },
    transitionProps: { duration: 0 },
    lockScroll: false,
  };
  return (
    <>
      <Modal opened={open === "keys"} title={strings.player.keys} {...common}>
        <dl className="keys">
          {strings.keysHelp.map(([keys, what]) => (
            <div key={keys}>
              <dt>{keys}</dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
      </Modal>
      <Modal opened={open === "go-to"} title={strings.player.goTo} {...common}>
        <GoTo shownMs={shownMs} onGoTo={onGoTo} />
      </Modal>
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

/** As the field wants it: local time without a zone. */
function localText(atMs: number): string {
  const offsetMs = new Date(atMs).getTimezoneOffset() * 60_000;
  return new Date(atMs - offsetMs).toISOString().slice(0, 19);
}
