/** A password, token or link that nobody can show again. */
import { Button } from "@mantine/core";

import { Copyable } from "../copyable.js";
import { texts } from "./strings.js";

interface SecretOnceProps {
  readonly id: string;
  readonly text: string;
  readonly about: string;
  readonly onDone: () => void;
}

export function SecretOnce({ id, text, about, onDone }: SecretOnceProps) {
  return (
    <div className="form">
      <p>{about}</p>
      <Copyable id={id} text={text} />
      <div className="line end">
        <Button onClick={onDone}>{texts.done}</Button>
      </div>
    </div>
  );
}
