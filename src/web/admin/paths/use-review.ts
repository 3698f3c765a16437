/** From a change to its preview, and from there to what it does; failures stay beside what caused them. */
import { useRef, useState } from "react";

import type { ConfigPreview } from "../../api-types.js";
import { RequestError } from "../../request.js";

interface Refusal {
  /** By the place in the request, as the server says it. */
  readonly fields: Readonly<Record<string, string>>;
  readonly message: string;
}

export interface Review<T = ConfigPreview> {
  readonly isBusy: boolean;
  readonly refusal: Refusal | undefined;
  /** There once somebody asked for it. */
  readonly preview: T | undefined;
  readonly ask: (preview: () => Promise<T>) => void;
  /** What is refused of fields closes the preview, for they stand below it. */
  readonly apply: (change: () => Promise<void>) => void;
  readonly close: () => void;
  /** What is asked for is not wanted any more: the change is another one. */
  readonly cancel: () => void;
  /** And what was refused neither. */
  readonly forget: () => void;
}

export function useReview<T = ConfigPreview>(): Review<T> {
  const [isBusy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal>();
  const [preview, setPreview] = useState<T>();
  const turn = useRef(0);
  const run = async <R>(work: () => Promise<R>, onDone: (result: R) => void): Promise<void> => {
    const mine = (turn.current += 1);
    const isWanted = (): boolean => turn.current === mine;
    setBusy(true);
    setRefusal(undefined);
    try {
      const result = await work();
      if (isWanted()) onDone(result);
    } catch (error) {
      if (!isWanted()) return;
      const refused = refusalOf(error);
      if (Object.keys(refused.fields).length > 0) setPreview(undefined);
      setRefusal(refused);
    } finally {
      if (isWanted()) setBusy(false);
    }
  };
  const close = (): void => setPreview(undefined);
  const cancel = (): void => {
    turn.current += 1;
    setBusy(false);
  };
  return {
    ...{ isBusy, refusal, preview, close, cancel },
    ask: (work) => void run(work, (made) => setPreview(() => made)),
    apply: (change) => void run(change, close),
    forget: () => {
      cancel();
      close();
      setRefusal(undefined);
    },
  };
}

function refusalOf(error: unknown): Refusal {
  const message = error instanceof Error ? error.message : String(error);
  return { message, fields: error instanceof RequestError ? error.fields : {} };
}
