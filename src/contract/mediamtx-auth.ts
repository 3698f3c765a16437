/** What MediaMTX asks by `authMethod: http`, for everything that somebody wants of it. Fields come and go with versions. */
import { z } from "zod";

const text = (most: number) => z.string().max(most).default("");

export const mediaMtxAuthSchema = z.object({
  user: text(512),
  password: text(8_192),
  token: text(8_192).meta({ description: "Repeats the password when there is one" }),
  ip: text(64),
  action: z.enum(["publish", "read", "playback", "api", "metrics", "pprof"]),
  path: text(1_024),
  protocol: text(32).meta({ description: "Empty but for publish and read" }),
  id: text(64).nullish().meta({ description: "Of the session or connection; a read of RTSP asks for both in turn" }),
  query: text(16_384),
});

export type StreamRequest = z.infer<typeof mediaMtxAuthSchema>;
