/** HLS into a <video>: by hls.js where the browser can, else as the browser plays it itself (iPhones). */
interface Source {
  /** A playlist that is good for an hour. */
  readonly playlist: () => Promise<string>;
  readonly onFailure: (error: unknown) => void;
}

/** What cannot be fetched is asked for by new URLs, for the old ones end; but not again at once: then it is something else. */
const AGAIN_AFTER_MS = 5_000;

export async function playInto(video: HTMLVideoElement, { playlist, onFailure }: Source): Promise<void> {
  const { default: Engine } = await import("hls.js/light");
  if (!Engine.isSupported()) {
    video.src = await playlist();
    return;
  }
  const hls = new Engine({ enableWorker: false, maxBufferLength: 20, backBufferLength: 30 });
  let renewedAtMs = -AGAIN_AFTER_MS;
  hls.on(Engine.Events.ERROR, (_event, { fatal, type, error }) => {
    if (!fatal) return;
    if (type !== Engine.ErrorTypes.NETWORK_ERROR || performance.now() - renewedAtMs < AGAIN_AFTER_MS) {
      onFailure(error);
      return;
    }
    renewedAtMs = performance.now();
    const atSec = video.currentTime;
    playlist().then((url) => {
      hls.loadSource(url);
      hls.once(Engine.Events.MANIFEST_PARSED, () => hls.startLoad(atSec));
    }, onFailure);
  });
  hls.loadSource(await playlist());
  hls.attachMedia(video);
}
