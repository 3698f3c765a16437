/** Made from the routes by `UPDATE_CLIENT=1 npx vitest run --config test/vitest.config.ts test/contract/http/client.test.ts`. */
export interface paths {
    "/api/v1/recordings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List recordings, a page at a time
         * @description Pages go by key: rows that come or go meanwhile neither repeat nor hide others.
         */
        get: operations["getApiVRecordings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/recordings/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One recording */
        get: operations["getApiVRecordingsId"];
        put?: never;
        post?: never;
        /**
         * Delete both copies of a recording
         * @description Answers at once; the row stays as a tombstone. 409 while MediaMTX still writes the file.
         */
        delete: operations["deleteApiVRecordingsId"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/recordings/{id}/file": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The file, from disk or store
         * @description One Range per request (RFC 9110), strong ETag, If-None-Match, If-Range; HEAD too. 409 while it is open.
         */
        get: operations["getApiVRecordingsIdFile"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/timeline": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Footage and gaps of paths, each gap with its cause
         * @description From rows alone, never from files. Recordings that join and whose copies are in the same places are one span; 400 when a range holds more than 20000 of them. With resolution: how much of each bucket is there, no spans.
         */
        get: operations["getApiVTimeline"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/days": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The days of a month on which a path has footage
         * @description Days begin and end as the zone says, so one may have 23 or 25 hours. From rows alone.
         */
        get: operations["getApiVDays"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/playlist.m3u8": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A range as an HLS playlist
         * @description Byte ranges of the recorded files as they are (RFC 8216). It begins at the last sync sample at or before `from`; EXT-X-PROGRAM-DATE-TIME says the wall clock of each file, and a hole in the footage is a discontinuity at which that clock jumps. 404 when nothing of the range can be played (yet). With live=1 lines are only added, and EXT-X-ENDLIST comes when `to` has passed. The header Reelkeeper-Codecs names every codec of the range (RFC 6381), Reelkeeper-Playable says whether browsers play all of them: `yes`, `some` (H.265, AC-3: ask the browser), or `no` (such as G.711, which is recorded as PCM). transcode=h264 names pieces that are made while one waits, of both formats in one playlist; 409 unless TRANSCODING=on. fMP4 and MPEG-TS cannot stand in one playlist: it ends where the format changes, and the header Reelkeeper-Format-Changes-At says where to ask on. MPEG-TS is cut at PAT and PMT, the last ones before a random access point, as MediaMTX writes them; a file without is one segment. What is being written is there up to its last whole piece: of MPEG-TS one that the next such place follows.
         */
        get: operations["getApiVPlaylistMU"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/recordings/{id}/media.mp4": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The bytes that a playlist names, .mp4
         * @description For players. As `file`, but of a file that is still being written a range is answered up to the last whole fragment, and what is only in the bucket is redirected to the bucket itself (PLAYBACK_ARCHIVE=direct), by a URL that is good for 5 min. Where that bucket is of another origin it needs a CORS rule: GET, AllowedHeaders range, ExposeHeaders content-range, content-length, etag.
         */
        get: operations["getApiVRecordingsIdMediaMp"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/recordings/{id}/media.ts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The bytes that a playlist names, .ts
         * @description For players. As `file`, but of a file that is still being written a range is answered up to the last whole fragment, and what is only in the bucket is redirected to the bucket itself (PLAYBACK_ARCHIVE=direct), by a URL that is good for 5 min. Where that bucket is of another origin it needs a CORS rule: GET, AllowedHeaders range, ExposeHeaders content-range, content-length, etag.
         */
        get: operations["getApiVRecordingsIdMediaTs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/recordings/{id}/transcoded.ts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A piece of a recording as H.264 and AAC, as a playlist with transcode=h264 names it
         * @description MPEG-TS, made while one waits (TRANSCODING=on): video that is H.264 already is copied, everything else is made anew, at most 1920 pixels wide. 503 with Retry-After when too many are being made; a client that goes away ends the making.
         */
        get: operations["getApiVRecordingsIdTranscodedTs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/thumbnail.jpg": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The picture at an instant
         * @description The last sync sample at or before the instant, from disk or store; Reelkeeper-Taken-At tells when it was taken (not for MPEG-TS that cannot be cut, where it is near the instant). With `tolerance` a periodic picture (THUMBNAIL_INTERVAL) that is a little older will do, for which no footage is read; up to 640 pixels wide. 404 in a gap tells what is nearest; 503 when no ffmpeg is installed.
         */
        get: operations["getApiVThumbnailJpg"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sprite.vtt": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Which tile of a sprite is what instant
         * @description A WebVTT track of thumbnails: each cue names its tile by `#xywh` (Media Fragments). Times count from `from`; a cue begins when its picture was taken and ends with the next one. Pictures are the periodic ones (THUMBNAIL_INTERVAL); where there are none, neither are cues.
         */
        get: operations["getApiVSpriteVtt"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sprite.jpg": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The periodic pictures of a range in one
         * @description Ten in a row, in order of time; sprite.vtt says which is where. 404 without pictures, 503 when no ffmpeg is installed.
         */
        get: operations["getApiVSpriteJpg"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clip.mp4": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A range of a path as one MP4, without any media made anew
         * @description From disk or store, across any number of recordings. It begins at the sync sample at or before `from` (the first one after it where there is none) and ends with the frame before `to`: the headers Reelkeeper-Start and Reelkeeper-End tell both instants. Of reordered pictures (B-frames) an fmp4 also shows later ones that others need. Other tracks begin within one of their frames of the picture. mp4 has a Content-Length, a strong ETag and takes one Range; of fmp4 Reelkeeper-Estimated-Bytes tells the size, also for HEAD. The file that is still being written counts as far as it is whole (of MPEG-TS: to its last random access point). MPEG-TS recordings are put into the other container by ffmpeg as they go by (503 where none is installed, and while too many are). 404: no footage. 409: what the camera sends, or the recording format, changes inside the range (the answer names the instant; ask for one clip on each side). A copy that fails halfway ends the connection.
         */
        get: operations["getApiVClipMp"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/exports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The latest 200 exports, newest first */
        get: operations["getApiVExports"];
        put?: never;
        /**
         * Have a clip made in the background
         * @description As clip.mp4, of up to 24 h, two at a time, in the order in which they were asked for. The result lies in the store until it expires. A restart begins it again; what fails for a passing reason is tried again.
         */
        post: operations["postApiVExports"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/exports/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One export and how far it is */
        get: operations["getApiVExportsId"];
        put?: never;
        post?: never;
        /**
         * Cancel an export, or delete its result
         * @description Answers at once. What is over already stays as it is. While deletions are stopped the object stays.
         */
        delete: operations["deleteApiVExportsId"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/exports/{id}/file": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The result of an export
         * @description One Range per request (RFC 9110), strong ETag; HEAD too. 409 until it is done, 404 when it is gone.
         */
        get: operations["getApiVExportsIdFile"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/playback/list": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * MediaMTX's /list: timespans that can be played
         * @description As MediaMTX ≥1.15.5 merges them, from the index: archived footage and MPEG-TS too, and one bad file fails nothing.
         */
        get: operations["getPlaybackList"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/playback/get": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * MediaMTX's /get: one timespan as MP4
         * @description Until the first break, as MediaMTX; from disk or store, MPEG-TS by way of ffmpeg. It begins at the sync sample at or before the start: Reelkeeper-Start tells when. mp4 takes a Range.
         */
        get: operations["getPlaybackGet"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/shares": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The latest 500 share links, newest first */
        get: operations["getApiVShares"];
        put?: never;
        /**
         * Give a range of a path to outsiders, by a link
         * @description Whoever has the link sees that range of that path and nothing else, until it expires or is revoked. Pictures may begin at the sync sample before `from`. MPEG-TS that cannot be cut is shown only where the whole file is in the range.
         */
        post: operations["postApiVShares"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/shares/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Revoke a share link, at once */
        delete: operations["deleteApiVSharesId"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/share/{token}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The page of a share link */
        get: operations["getShareToken"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/share/{token}/links": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the page of a share link plays and downloads */
        get: operations["getShareTokenLinks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/paths": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List paths, or show the one given by the query parameter path
         * @description group, label and q narrow the list; a path has to fit all that are given.
         */
        get: operations["getApiVPaths"];
        put?: never;
        /**
         * Add a path
         * @description MediaMTX checks the whole configuration before anything is written; 409 with its reason if it refuses.
         */
        post: operations["postApiVPaths"];
        /** Remove a path */
        delete: operations["deleteApiVPaths"];
        options?: never;
        head?: never;
        /**
         * Change a path
         * @description JSON merge (RFC 7396): what is not named stays, null resets. Other paths are not touched.
         */
        patch: operations["patchApiVPaths"];
        trace?: never;
    };
    "/api/v1/paths/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show a path */
        get: operations["getApiVPathsName"];
        put?: never;
        post?: never;
        /** Remove a path */
        delete: operations["deleteApiVPathsName"];
        options?: never;
        head?: never;
        /**
         * Change a path
         * @description JSON merge (RFC 7396): what is not named stays, null resets. Other paths are not touched.
         */
        patch: operations["patchApiVPathsName"];
        trace?: never;
    };
    "/api/v1/config/settings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Every setting that a path can have: what it takes, what it means, whether a change reconnects the camera */
        get: operations["getApiVConfigSettings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/config/templates": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Commands that a path may name by template; the commands themselves are not told */
        get: operations["getApiVConfigTemplates"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/config/bulk": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Change many paths in the same way: all of them, or none */
        post: operations["postApiVConfigBulk"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/config/paths": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All paths as CSV or YAML, passwords masked; importing it again changes nothing */
        get: operations["getApiVConfigPaths"];
        put?: never;
        /**
         * Add and change paths by a CSV or YAML text: all of it, or nothing
         * @description An empty cell of CSV and null of YAML reset a setting to what it inherits; a masked password stays.
         */
        post: operations["postApiVConfigPaths"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/publish-credentials": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Which paths may be published to, by whom; passwords are not kept */
        get: operations["getApiVPublishCredentials"];
        put?: never;
        /**
         * Set or rotate with what a path may be published to
         * @description The one before counts no longer, and whoever publishes by it is cut off at once. It counts where MediaMTX asks us (MEDIAMTX_AUTH), and may be set before that is switched on.
         */
        post: operations["postApiVPublishCredentials"];
        /** Let nobody publish to a path; whoever does is cut off at once */
        delete: operations["deleteApiVPublishCredentials"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/stream-tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * A token to watch one path, or play it back, at MediaMTX itself
         * @description With MEDIAMTX_AUTH=jwt: as Authorization: Bearer for HLS and WebRTC, as the password or the query parameter token for RTSP. It is good for a minute, in which a player has to begin; what it began ends when whoever asked may no longer watch.
         */
        post: operations["postApiVStreamTokens"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/.well-known/jwks.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Public keys by which MediaMTX checks tokens for it */
        get: operations["getWellKnownJwksJson"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/config": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether MediaMTX runs what stands in the table of paths */
        get: operations["getApiVConfig"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/config/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * What changes of paths, or a rollback, would do, without doing them
         * @description MediaMTX checks the result as it does for the changes themselves; 409 with its reason if it refuses. Errors name the field of the path.
         */
        post: operations["postApiVConfigPreview"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/config/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Versions of the configuration, the newest first */
        get: operations["getApiVConfigHistory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/config/history/{version}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A version of the configuration, and what it changed */
        get: operations["getApiVConfigHistoryVersion"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/config/rollback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make the paths what they were in a version
         * @description The rollback is a version of its own. 409 when the base configuration is another one than then (it is the admin's file and is never written), or when MediaMTX refuses the result; nothing is changed then.
         */
        post: operations["postApiVConfigRollback"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/config/adopt": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Adopt an existing mediamtx.yml: its paths become rows, the rest the base file; a dry run unless told otherwise
         * @description Commands (runOn…) never come along: a path gets a template of the deployer that says the same, or they block until leaveCommands. 409 with what blocks; nothing is changed then.
         */
        post: operations["postApiVConfigAdopt"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/config/drift": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Where the paths, mediamtx.yml and the running MediaMTX say different things */
        get: operations["getApiVConfigDrift"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/config/drift/resolve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take over what was set past Reelkeeper, and apply the paths again for all the rest
         * @description What is taken over is checked as an edit of the path is, and is a version of its own; 404 for what differs no more. Nothing is changed then, nor by a dry run, which tells what would be.
         */
        post: operations["postApiVConfigDriftResolve"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/archive": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What still has to reach the store */
        get: operations["getApiVArchive"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rejected-files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Files below the record directory that are no segments */
        get: operations["getApiVRejectedFiles"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/scan": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The running or last scan of the record directory */
        get: operations["getApiVScan"];
        put?: never;
        /** Scan now */
        post: operations["postApiVScan"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/deletions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Why nothing is removed now, if so */
        get: operations["getApiVDeletions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/deletions/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Release what stops deletions
         * @description Disk, store, clock and database count as right as they are then. Found again, a doubt stops again.
         */
        post: operations["postApiVDeletionsResume"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Does the process work? */
        get: operations["getHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** May it be asked? It listens only once it may */
        get: operations["getReady"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/health/details": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What works and what does not, worst first */
        get: operations["getApiVHealthDetails"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Prometheus metrics */
        get: operations["getMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/hooks/segment-create": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * MediaMTX opened a segment
         * @description A hint: may come late, twice, in any order or never. What it misses, the scan finds.
         */
        post: operations["postHooksSegmentCreate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/hooks/segment-complete": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * MediaMTX closed a segment
         * @description A hint: may come late, twice, in any order or never. What it misses, the scan finds.
         */
        post: operations["postHooksSegmentComplete"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/hooks/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A path became ready */
        post: operations["postHooksReady"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/hooks/not-ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A path became not ready */
        post: operations["postHooksNotReady"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/mediamtx/auth/{secret}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * MediaMTX asks whether somebody may do something
         * @description With MEDIAMTX_AUTH=http; its URL with the secret stands in mediamtx.yml. The answer has no body: nothing says why somebody is refused. A player of RTSP comes without a password first, is refused and then asked for one.
         */
        post: operations["postMediamtxAuthSecret"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/login/options": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether people log in here, and how */
        get: operations["getApiVLoginOptions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Log in by name and password
         * @description Sets the cookies of the page. At most 5 tries a minute for an address and a name; then 429 with Retry-After.
         */
        post: operations["postApiVLogin"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/login/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Go on with a session: by the refresh cookie, which is renewed */
        post: operations["postApiVLoginRefresh"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End this session, at once */
        post: operations["postApiVLogout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who asks, and what is open to them */
        get: operations["getApiVMe"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Change one's own password; all other sessions end */
        post: operations["postApiVMePassword"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/login/oidc": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Send the browser to the login provider
         * @description For a browser to open, not for scripts. `returnTo`: where on the page to go afterwards.
         */
        get: operations["getApiVLoginOidc"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/login/oidc/callback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Where the login provider sends the browser back to */
        get: operations["getApiVLoginOidcCallback"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All users */
        get: operations["getApiVUsers"];
        put?: never;
        /** Add a user */
        post: operations["postApiVUsers"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One user */
        get: operations["getApiVUsersId"];
        put?: never;
        post?: never;
        /** Remove a user, with their sessions and tokens */
        delete: operations["deleteApiVUsersId"];
        options?: never;
        head?: never;
        /** Change a user; a new password or a ban ends all sessions of theirs, at once */
        patch: operations["patchApiVUsersId"];
        trace?: never;
    };
    "/api/v1/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Live sessions: one's own; for an admin those of a user, or all */
        get: operations["getApiVSessions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** End a session, at once */
        delete: operations["deleteApiVSessionsId"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** API tokens: one's own; for an admin those of a user, or all */
        get: operations["getApiVTokens"];
        put?: never;
        /**
         * Make an API token for oneself
         * @description It may what its owner may at the time of its use, and not more than it was made for.
         */
        post: operations["postApiVTokens"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tokens/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Revoke an API token, at once */
        delete: operations["deleteApiVTokensId"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who did what, the newest first */
        get: operations["getApiVAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/signed-urls": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign a URL of media, for a player that can send no token
         * @description GET and HEAD, that path and that query alone: for 1 h a playlist and what it names, for 5 min anything else. Refused as soon as its maker may not look any more. A playlist that is asked for by one names signed URLs.
         */
        post: operations["postApiVSignedUrls"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The page
         * @description It reads its own address: path (several by commas), at (RFC 3339), zoom (seconds).
         */
        get: operations["get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/assets/{file}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A file of the page, by the hash in its name */
        get: operations["getAssetsFile"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/icon.svg": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The file icon.svg */
        get: operations["getIconSvg"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/docs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The file docs.html */
        get: operations["getApiDocs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/docs/docs.js": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The file docs.js */
        get: operations["getApiDocsDocsJs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/docs/swagger-ui.css": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The file swagger-ui.css */
        get: operations["getApiDocsSwaggerUiCss"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/docs/swagger-ui-bundle.js": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The file swagger-ui-bundle.js */
        get: operations["getApiDocsSwaggerUiBundleJs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This document */
        get: operations["getApiVOpenapiJson"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description RFC 9457 */
        Problem: {
            type: string;
            title: string;
            status: number;
            detail: string;
            /** @description What to do */
            hint?: string;
            errors?: {
                field: string;
                message: string;
            }[];
        };
        RecordingPage: {
            items: components["schemas"]["Recording"][];
            /** @description Give it as cursor for the next page; null: the last page */
            nextCursor: string | null;
            /** @description Only with total=true */
            total?: number;
        };
        Recording: {
            /** Format: uuid */
            id: string;
            path: string;
            /**
             * Format: date-time
             * @description Wall clock of the first sample: mtxi box, else file name
             */
            startAt: string;
            /** Format: date-time */
            endAt: string;
            /** @description Wall clock length in seconds; 0 while unknown */
            durationSec: number;
            /** @description By the sample tables; null while unknown */
            mediaDurationSec: number | null;
            bytes: number;
            /** @enum {string} */
            format: "fmp4" | "mpegts";
            tracks: {
                /** @enum {string} */
                kind: "video" | "audio" | "other";
                /** @description RFC 6381 where there is such a string */
                codec: string;
                /** @description pixels */
                width?: number;
                /** @description pixels */
                height?: number;
                /** @description frames per second, mean; null when unknown */
                frameRate?: number | null;
                /** @description hertz */
                sampleRate?: number;
                channels?: number;
            }[];
            /** @description Torn or never finalised: only whole fragments count */
            partial: boolean;
            /** @description Missing before it; 0 continuous, null nothing known before */
            gapBeforeSec: number | null;
            /** @description Segments that MediaMTX numbered and nobody has */
            missingBefore: number;
            streamId: string | null;
            segmentNumber: number | null;
            /** @enum {string} */
            local: "open" | "present" | "trashed" | "released" | "missing" | "quarantined" | "deleted";
            /** @enum {string} */
            archive: "none" | "uploading" | "verified" | "expired" | "conflict" | "deleted";
            /** @description Below the record directory */
            filePath: string;
            objectKey: string | null;
            /** @description Of a proven copy in a bucket that has a public address */
            publicUrl: string | null;
            /** @description hex */
            sha256: string | null;
            verifiedAt: string | null;
            error: string | null;
        };
        Timeline: {
            /** Format: date-time */
            from: string;
            /** Format: date-time */
            to: string;
            /** @description What playlists may ask for by `transcode`; empty: nothing, see TRANSCODING */
            transcoding: "h264"[];
            paths: {
                path: string;
                /** @description RFC 6381 where there is such a string, of all runs of the range; sorted */
                codecs: string[];
                /** @description In order, without holes, from `from` to `to` or the present; empty with resolution */
                spans: components["schemas"]["TimelineSpan"][];
                /** @description Only with resolution */
                buckets?: components["schemas"]["TimelineBucket"][];
                /** @description Reserved */
                holds: unknown[];
                /** @description Of the range, in order; of more than 1000 the latest */
                events: components["schemas"]["TimelineEvent"][];
            }[];
        };
        TimelineSpan: {
            /** Format: date-time */
            from: string;
            /** Format: date-time */
            to: string;
            /** @constant */
            kind: "footage";
            /**
             * @description open: MediaMTX may still write it; local: on disk only; archived: in the store only
             * @enum {string}
             */
            where: "open" | "local" | "both" | "archived";
        } | {
            /** Format: date-time */
            from: string;
            /** Format: date-time */
            to: string;
            /** @constant */
            kind: "gap";
            /**
             * @description not-indexed: a file is there or was open, and its end is not known yet; unknown: nothing was written down
             * @enum {string}
             */
            cause: "source-offline" | "recording-off" | "disabled" | "server-down" | "disk-full" | "expired" | "deleted" | "not-indexed" | "unknown";
        };
        TimelineBucket: {
            /** Format: date-time */
            from: string;
            /** Format: date-time */
            to: string;
            /** @description How much of it is footage */
            coverage: number;
            /** @description Of most of what is missing; null: nothing is, or it is still to come */
            cause: ("source-offline" | "recording-off" | "disabled" | "server-down" | "disk-full" | "expired" | "deleted" | "not-indexed" | "unknown") | null;
        };
        TimelineEvent: {
            /** Format: date-time */
            at: string;
            /**
             * @description The source came, or left, as MediaMTX's hooks told it
             * @enum {string}
             */
            kind: "ready" | "not-ready";
            /**
             * @description MediaMTX's MTX_SOURCE_TYPE
             * @example rtspSession
             */
            source: string | null;
        };
        Days: {
            path: string;
            month: string;
            zone: string;
            days: {
                /** @description YYYY-MM-DD in the zone */
                date: string;
                /** @description seconds of footage on that day */
                footageSec: number;
            }[];
        };
        Export: {
            /** Format: uuid */
            id: string;
            path: string;
            /** Format: date-time */
            from: string;
            /** Format: date-time */
            to: string;
            /** @enum {string} */
            format: "mp4" | "fmp4";
            /** @enum {string} */
            gaps: "keep" | "close";
            /**
             * @description queued: waits for its turn or its next attempt; running; done; failed: error says why; cancelled, deleted: a person asked for it, before and after it was done; expired: its time was over
             * @enum {string}
             */
            state: "queued" | "running" | "done" | "failed" | "cancelled" | "deleted" | "expired";
            writtenBytes: number;
            estimatedBytes: number | null;
            /** @description About how much is written; 1 only when it is done */
            progress: number;
            /** @description Of the last attempt */
            error: string | null;
            /** @description Of the result */
            bytes: number | null;
            /** @description hex, of the result */
            sha256: string | null;
            /** @description Wall clock of its first frame */
            startAt: string | null;
            /** @description Wall clock of its end */
            endAt: string | null;
            /** Format: date-time */
            createdAt: string;
            expiresAt: string | null;
        };
        ExportList: {
            items: components["schemas"]["Export"][];
        };
        MediaMtxTimespans: {
            /** Format: date-time */
            start: string;
            /** @description seconds */
            duration: number;
            /** @description Of the whole timespan */
            url: string;
        }[];
        MediaMtxError: {
            /** @constant */
            status: "error";
            error: string;
        };
        NewShare: {
            /** Format: uuid */
            id: string;
            path: string;
            /** Format: date-time */
            from: string;
            /** Format: date-time */
            to: string;
            label: string;
            createdBy: string;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            expiresAt: string;
            revokedAt: string | null;
            /** @description How often its page was opened */
            opened: number;
            lastOpenedAt: string | null;
            /** @description Of its page; told once, for only its hash is kept */
            url: string;
        };
        ShareList: {
            items: components["schemas"]["Share"][];
        };
        Share: {
            /** Format: uuid */
            id: string;
            path: string;
            /** Format: date-time */
            from: string;
            /** Format: date-time */
            to: string;
            label: string;
            createdBy: string;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            expiresAt: string;
            revokedAt: string | null;
            /** @description How often its page was opened */
            opened: number;
            lastOpenedAt: string | null;
        };
        ShareLinks: {
            label: string;
            /** Format: date-time */
            from: string;
            /** Format: date-time */
            to: string;
            /**
             * Format: date-time
             * @description Of the share
             */
            expiresAt: string;
            /** @description Signed, good for an hour at most; counts from PUBLIC_URL */
            playlist: string;
            /** @description Signed, good for 5 minutes at most; counts from PUBLIC_URL */
            clip: string;
            /** @description Signed, good for 5 minutes at most; counts from PUBLIC_URL */
            picture: string;
        };
        PathList: {
            items: components["schemas"]["Path"][];
            /** @description Paths with recordings that only MediaMTX's own configuration knows, or that were removed */
            others: {
                name: string;
                /** @description As MediaMTX sees it now */
                state: {
                    /** @description null: MediaMTX cannot be asked */
                    online: boolean | null;
                    /** @description MediaMTX's type of the source */
                    source: string | null;
                    /** @description Of the last ready or not-ready hook */
                    since: string | null;
                };
            }[];
        };
        Path: {
            name: string;
            /**
             * @description Where the stream comes from
             * @example publisher
             * @example rtsp://user:password@camera/stream
             */
            source?: string;
            sourceFingerprint?: string;
            sourceOnDemand?: boolean;
            sourceOnDemandStartTimeout?: string;
            sourceOnDemandCloseAfter?: string;
            maxReaders?: number;
            useAbsoluteTimestamp?: boolean;
            record?: boolean;
            /** @enum {string} */
            recordFormat?: "fmp4" | "mpegts";
            recordPartDuration?: string;
            recordMaxPartSize?: string;
            recordSegmentDuration?: string;
            /** @enum {string} */
            rtspTransport?: "automatic" | "udp" | "multicast" | "tcp";
            rtspAnyPort?: boolean;
            /** @enum {string} */
            rtspRangeType?: "clock" | "npt" | "smpte";
            rtspRangeStart?: string;
            rtspScale?: string;
            rtspUDPSourcePortRange?: number[];
            whepBearerToken?: string;
            whepSTUNGatherTimeout?: string;
            whepHandshakeTimeout?: string;
            whepTrackGatherTimeout?: string;
            srtReadPassphrase?: string;
            srtPublishPassphrase?: string;
            overridePublisher?: boolean;
            rtspDemuxMpegts?: boolean;
            alwaysAvailable?: boolean;
            alwaysAvailableTracks?: ({
                /** @enum {string} */
                codec: "AV1" | "VP9" | "H265" | "H264" | "Opus";
            } | {
                /** @constant */
                codec: "MPEG4Audio";
                sampleRate: number;
                channelCount: number;
            } | {
                /** @constant */
                codec: "LPCM";
                sampleRate: number;
                channelCount: number;
            } | {
                /** @constant */
                codec: "G711";
                sampleRate: number;
                channelCount: number;
                muLaw?: boolean;
            })[];
            alwaysAvailableRecorded?: boolean;
            template?: string;
            /** @description false: MediaMTX does not get the path at all */
            enabled: boolean;
            /**
             * @description none: files stay on disk until somebody deletes them
             * @enum {string}
             */
            archive: "all" | "none";
            /** @description How long a proven local copy stays; null: LOCAL_RETENTION */
            localRetention: string | null;
            /** @description Kept and shown; nothing expires from the store yet */
            archiveRetention: string | null;
            labels: string[];
            /** @description What the path is listed under; null: nothing */
            group: string | null;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
            /** @description record as it counts: the path's own, or inherited */
            recorded: boolean;
            /** @description As MediaMTX sees it now */
            state: {
                /** @description null: MediaMTX cannot be asked */
                online: boolean | null;
                /** @description MediaMTX's type of the source */
                source: string | null;
                /** @description Of the last ready or not-ready hook */
                since: string | null;
            };
            /** @description Whether MediaMTX runs what stands here */
            config: {
                applied: boolean;
                error: string | null;
            };
            /** @description Of one path, not in lists */
            effective?: {
                [key: string]: {
                    value: unknown;
                    /** @enum {string} */
                    from: "own" | "defaults" | "mediamtx";
                    /** @description What would count if the path said nothing */
                    inherited: unknown;
                };
            };
            /** @description What is allowed and seldom meant; not in lists */
            warnings?: {
                field: string;
                message: string;
            }[];
        };
        PathSettingList: {
            mediamtxVersion: string;
            items: {
                name: string;
                /** @enum {string} */
                section: "source" | "publisher" | "recording" | "readers" | "alwaysAvailable" | "commands";
                /** @enum {string} */
                type: "text" | "boolean" | "integer" | "duration" | "size" | "choice" | "list";
                /** @description In words */
                accepts: string;
                choices?: string[];
                help: string;
                /** @description What a path gets that says nothing, and that the base configuration does not name */
                inherited: unknown;
                /** @description Where neither the path nor the base configuration says */
                mediamtxDefault: unknown;
                /** @description Of MediaMTX; null: every supported one */
                minVersion: string | null;
                /** @description By the MediaMTX that runs */
                isSupported: boolean;
                /** @description Answered with *** in its place; sent back so, it stays. in-url: the password in it */
                secret: ("whole" | "in-url") | null;
                /** @description A change disconnects the source or publisher of this path */
                needsReconnect: boolean;
            }[];
        };
        TemplateList: {
            items: {
                id: string;
                description: string;
            }[];
        };
        PathBatchReport: {
            dryRun: boolean;
            created: string[];
            changed: string[];
            unchanged: string[];
            removed: string[];
            /** @description Of a dry run; otherwise the whole request is refused with them */
            errors: {
                line: number;
                path: string;
                field: string;
                message: string;
            }[];
            warnings: {
                path: string;
                field: string;
                message: string;
            }[];
            /** @description Of a dry run; otherwise null */
            effects: {
                /** @description Of mediamtx.yml: unified, secrets masked */
                diff: string;
                /** @description Paths whose publisher, source and viewers MediaMTX would cut off */
                reconnects: {
                    path: string;
                    reason: string;
                }[];
            } | null;
        };
        PublishCredentialList: {
            items: components["schemas"]["PublishCredential"][];
        };
        PublishCredential: {
            path: string;
            user: string;
            /** Format: date-time */
            setAt: string;
        };
        MadePublishCredential: {
            path: string;
            user: string;
            /** Format: date-time */
            setAt: string;
            /** @description Told once; null for one that was given */
            password: string | null;
            /** @description Where to publish to; add user and password */
            urls: string[];
        };
        MadeStreamToken: {
            token: string;
            /** Format: date-time */
            expiresAt: string;
        };
        JwkSet: {
            keys: {
                kty: string;
                crv: string;
                x: string;
                kid: string;
                alg: string;
                use: string;
            }[];
        };
        Config: {
            applied: boolean;
            error: string | null;
            /** @description The newest of the history */
            version: number | null;
            /** @description MediaMTX or its file say something else; see GET /api/v1/config/drift */
            drift: boolean;
        };
        ConfigPreview: {
            /** @description mediamtx.yml, secrets masked */
            yaml: string;
            /** @description Unified, secrets masked; empty: nothing changes but perhaps a secret */
            diff: string;
            /** @description Paths whose publisher, source and viewers MediaMTX would cut off */
            reconnects: {
                path: string;
                reason: string;
            }[];
            warnings: {
                path: string;
                field: string;
                message: string;
            }[];
        };
        ConfigHistory: {
            items: {
                version: number;
                /** Format: date-time */
                at: string;
                author: string;
                summary: string;
                /** @enum {string} */
                reason: "edit" | "rollback" | "adopt" | "import" | "start";
            }[];
            next: string | null;
        };
        ConfigVersion: {
            version: number;
            /** @description mediamtx.yml, secrets masked */
            yaml: string;
            /** @description From the version before it */
            diff: string;
            /** @description From it to what stands in the table of paths now */
            diffToNow: string;
            /** @description False: the base file is another one now, and a rollback is refused */
            sameBase: boolean;
            /** @description Of the base file, from now to the one of the version */
            baseDiff: string;
        };
        ConfigRolledBack: {
            /** @description That the rollback itself is */
            version: number;
            /** @description The YAML is that of the version to the byte; false: MediaMTX or our own settings are others now */
            exact: boolean;
        };
        ConfigAdopted: {
            dryRun: boolean;
            create: {
                path: string;
                settings: {
                    [key: string]: unknown;
                };
            }[];
            unchanged: string[];
            /** @description What stays in the base file, with its comments */
            kept: {
                /**
                 * @example global
                 * @example pathDefaults
                 * @example paths/cam1
                 * @example base
                 */
                where: string;
                setting: string;
            }[];
            /** @description What does not come along, and why */
            left: {
                /**
                 * @example global
                 * @example pathDefaults
                 * @example paths/cam1
                 * @example base
                 */
                where: string;
                setting: string;
                why: string;
                /** @enum {string} */
                kind: "told" | "command" | "blocks";
            }[];
            /** @description For the file MEDIAMTX_TEMPLATES, to keep the commands */
            templates: string | null;
            /** @description Of the base file, unified, secrets masked */
            baseDiff: string;
            /** @description From the given text to what MediaMTX would get, secrets masked */
            diff: string;
            /** @description Paths whose publisher, source and viewers MediaMTX would cut off */
            reconnects: {
                path: string;
                reason: string;
            }[];
        };
        ConfigDrift: {
            items: {
                /** @enum {string} */
                where: "global" | "pathDefaults" | "path";
                /** @description May be a pattern of the base configuration */
                path: string | null;
                /** @description Empty: whether there is an entry at all */
                setting: string;
                /** @description What paths and base configuration say */
                table: string | null;
                /** @description What mediamtx.yml says */
                file: string | null;
                /** @description What MediaMTX runs */
                server: string | null;
                /** @description From where it can become the path's own setting */
                canTakeOver: ("file" | "server")[];
            }[];
            /** @description Why MediaMTX cannot be asked */
            serverError: string | null;
            /** @description mediamtx.yml is not to the letter what the paths make; without items only in comments, order or spelling */
            fileDiffers: boolean;
        };
        ConfigDriftResolved: {
            dryRun: boolean;
            /** @description Paths that changed, or would */
            takenOver: string[];
            warnings: {
                path: string;
                field: string;
                message: string;
            }[];
            /** @description Of a dry run: from the file as it is, and from what MediaMTX runs, to what would be */
            effects: {
                /** @description Unified, secrets masked; empty: nothing changes but perhaps a secret */
                diff: string;
                /** @description Paths whose publisher, source and viewers MediaMTX would cut off */
                reconnects: {
                    path: string;
                    reason: string;
                }[];
            } | null;
        };
        ArchiveStatus: {
            store: string;
            backlog: {
                /** @description Closed and not proven yet */
                segments: number;
                bytes: number;
                oldestUnarchivedAt: string | null;
                steps: {
                    step: string;
                    segments: number;
                    bytes: number;
                }[];
            };
            /** @description Uploaded lately */
            bytesPerSec: number;
            /** @description Uploads allowed at once now */
            concurrency: number;
            /** @description Until the backlog is empty at this rate; null: cannot tell */
            drainSec: number | null;
            /** @description The store's last complaint; null when the last upload went well */
            lastError: string | null;
            errors: {
                id: string;
                path: string;
                /** @description The step that is due, null for none */
                step: string | null;
                error: string;
                attempts: number;
                /** Format: date-time */
                nextAttemptAt: string;
                /** Format: date-time */
                at: string;
            }[];
        };
        RejectedFiles: {
            items: {
                /** @description Below the record directory; bytes that are no UTF-8 as \xNN */
                filePath: string;
                reason: string;
                bytes: number;
                /** Format: date-time */
                firstSeenAt: string;
                /** Format: date-time */
                lastSeenAt: string;
            }[];
        };
        Scan: {
            running: boolean;
            startedAt: string | null;
            finishedAt: string | null;
            directories: number;
            files: number;
            /** @description Rows that were new or brought up to date */
            recorded: number;
            rejected: number;
            missing: number;
            /** @description Files that vanished in such numbers that it is not believed */
            doubted: number;
            error: string | null;
        };
        Deletions: {
            /** @description Nothing is removed; everything else goes on */
            stopped: boolean;
            stops: {
                /** @enum {string} */
                doubt: "volume" | "clock" | "database" | "store" | "mass-missing";
                /** Format: date-time */
                since: string;
                message: string;
                /** @description What to do before the release */
                hint: string;
            }[];
        };
        ResumeDeletions: {
            /** @description Those that were looked at; one that was found since goes on to stop deletions */
            doubts: ("volume" | "clock" | "database" | "store" | "mass-missing")[];
        };
        ResumedDeletions: {
            released: ("volume" | "clock" | "database" | "store" | "mass-missing")[];
        };
        Health: {
            checks: {
                name: string;
                /** @enum {string} */
                status: "ok" | "warn" | "fail";
                message: string;
                /** @description What to do */
                hint: string | null;
            }[];
            /** @description Where cameras publish to */
            publishUrls: string[];
            /** @description Of the database; null when none is made: PostgreSQL, or switched off */
            backup: {
                lastAt: string | null;
                /** @description Of the last one, in the store */
                key: string | null;
                /** @description As it is stored */
                bytes: number | null;
                /** @description Why the last attempt failed; null when it did not */
                error: string | null;
            } | null;
        };
        LoginOptions: {
            loginRequired: boolean;
            password: boolean;
            /** @description A login provider is there: send the browser to /api/v1/login/oidc */
            oidc: boolean;
        };
        LoggedIn: {
            user: components["schemas"]["Me"];
            /** @description For scripts, as Authorization: Bearer; the page has cookies */
            accessToken: string;
            /** Format: date-time */
            accessTokenExpiresAt: string;
        };
        Me: {
            /** @enum {string} */
            kind: "user" | "token" | "link" | "share" | "machine";
            id: string;
            name: string;
            /**
             * @description Each may what the one before it may
             * @enum {string}
             */
            role: "viewer" | "operator" | "admin";
            /** @description What is open; null: every path */
            paths: string[] | null;
            sessionId: string | null;
        };
        UserList: {
            items: components["schemas"]["User"][];
        };
        User: {
            /** Format: uuid */
            id: string;
            name: string;
            /**
             * @description Each may what the one before it may
             * @enum {string}
             */
            role: "viewer" | "operator" | "admin";
            /** @description Open to an operator or viewer; an admin sees every path */
            paths: string[];
            disabled: boolean;
            hasPassword: boolean;
            /** Format: date-time */
            createdAt: string;
            lastLoginAt: string | null;
        };
        SessionList: {
            items: components["schemas"]["Session"][];
        };
        Session: {
            /** Format: uuid */
            id: string;
            /** Format: uuid */
            userId: string;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            lastUsedAt: string;
            /** Format: date-time */
            expiresAt: string;
            address: string | null;
            userAgent: string | null;
            isCurrent: boolean;
        };
        ApiTokenList: {
            items: components["schemas"]["ApiToken"][];
        };
        ApiToken: {
            /** Format: uuid */
            id: string;
            /** Format: uuid */
            userId: string;
            name: string;
            /**
             * @description Each may what the one before it may
             * @enum {string}
             */
            role: "viewer" | "operator" | "admin";
            paths: string[];
            /** Format: date-time */
            createdAt: string;
            expiresAt: string | null;
            /** @description To the minute */
            lastUsedAt: string | null;
            revokedAt: string | null;
        };
        MadeApiToken: {
            /** Format: uuid */
            id: string;
            /** Format: uuid */
            userId: string;
            name: string;
            /**
             * @description Each may what the one before it may
             * @enum {string}
             */
            role: "viewer" | "operator" | "admin";
            paths: string[];
            /** Format: date-time */
            createdAt: string;
            expiresAt: string | null;
            /** @description To the minute */
            lastUsedAt: string | null;
            revokedAt: string | null;
            /** @description Told once, for only its hash is kept */
            token: string;
        };
        AuditList: {
            items: {
                id: number;
                /** Format: date-time */
                at: string;
                actor: {
                    kind: string;
                    id: string;
                    name: string;
                    address: string | null;
                };
                action: string;
                target: string;
                before: unknown;
                after: unknown;
            }[];
            /** @description Give it as `before`; null: this was the last page */
            next: number | null;
        };
        SignedUrl: {
            /** @description From /api/v1/ on; counts from PUBLIC_URL */
            url: string;
            /** Format: date-time */
            expiresAt: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getApiVRecordings: {
        parameters: {
            query?: {
                /** @description Repeat it, or separate by commas */
                path?: string[];
                /** @description Recordings that end after it */
                from?: string;
                /** @description Recordings that begin before it */
                to?: string;
                /** @description Any state of the local or the archived copy */
                state?: ("open" | "present" | "trashed" | "released" | "missing" | "quarantined" | "deleted" | "none" | "uploading" | "verified" | "expired" | "conflict")[];
                order?: "newest" | "oldest";
                /** @description 1 to 2000 */
                limit?: number;
                cursor?: string;
                /** @description Count all that match; reads every row in range */
                total?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecordingPage"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVRecordingsId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The recording */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Recording"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteApiVRecordingsId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Will be deleted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        accepted: true;
                    };
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVRecordingsIdFile: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All bytes */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "video/mp4": unknown;
                };
            };
            /** @description The range */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "video/mp4": unknown;
                };
            };
            /** @description Not modified */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The range begins behind the end */
            416: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVTimeline: {
        parameters: {
            query: {
                /** @description Repeat it, or separate by commas; at most 16 */
                path: string[];
                /** @description Where the timeline begins */
                from: string;
                /** @description Where it ends; what is later than now is no gap */
                to: string;
                /** @description seconds of a bucket, 1 to 31622400 */
                resolution?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The timeline */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Timeline"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVDays: {
        parameters: {
            query: {
                /** @description MediaMTX path name (its rule since 1.17.1) */
                path: string;
                month: string;
                /** @description IANA time zone in which days begin */
                zone?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Days with footage, in order */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Days"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVPlaylistMU: {
        parameters: {
            query: {
                /** @description MediaMTX path name (its rule since 1.17.1) */
                path: string;
                /** @description Where it begins: at the last sync sample at or before */
                from: string;
                /** @description Where it ends; after `from` and at most 24 h later */
                to: string;
                /** @description An EVENT playlist that grows until `to`, which may be to come; choose `from` close to now */
                live?: "1" | "0" | "true" | "false";
                /** @description Answer the playlist above it, with CODECS, RESOLUTION, FRAME-RATE and BANDWIDTH of the range */
                multivariant?: "1" | "0" | "true" | "false";
                /** @description For browsers that lack the codecs: H.264 and AAC are made of each segment (TRANSCODING=on) */
                transcode?: "h264";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The playlist */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.apple.mpegurl": unknown;
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVRecordingsIdMediaMp: {
        parameters: {
            query?: {
                /** @description With `to`: only bytes that a playlist of this range names are sent */
                from?: string;
                /** @description RFC 3339 date-time */
                to?: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All bytes */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "video/mp4": unknown;
                };
            };
            /** @description The range */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "video/mp4": unknown;
                };
            };
            /** @description Not modified */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The range is in the bucket, at Location */
            307: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The range begins behind the end */
            416: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVRecordingsIdMediaTs: {
        parameters: {
            query?: {
                /** @description With `to`: only bytes that a playlist of this range names are sent */
                from?: string;
                /** @description RFC 3339 date-time */
                to?: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All bytes */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "video/mp2t": unknown;
                };
            };
            /** @description The range */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "video/mp2t": unknown;
                };
            };
            /** @description Not modified */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The range is in the bucket, at Location */
            307: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The range begins behind the end */
            416: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVRecordingsIdTranscodedTs: {
        parameters: {
            query: {
                /** @description The piece begins at the last sync sample at or before it */
                from: string;
                /** @description After `from`, at most 10 min later */
                to: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The piece */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "video/mp2t": unknown;
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVThumbnailJpg: {
        parameters: {
            query: {
                /** @description MediaMTX path name (its rule since 1.17.1) */
                path: string;
                /** @description The picture at or before it; the newest when absent */
                at?: string;
                /** @description Pixels, 16 to 1920; never wider than the video */
                width?: number;
                /** @description Seconds, 0 to 3600: a periodic picture that is older than `at` by no more will do */
                tolerance?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The picture */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/jpeg": unknown;
                };
            };
            /** @description Not modified */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVSpriteVtt: {
        parameters: {
            query: {
                /** @description MediaMTX path name (its rule since 1.17.1) */
                path: string;
                /** @description Pictures taken from then on */
                from: string;
                /** @description And before this; after `from` and at most 24 h later */
                to: string;
                /** @description Pixels of a tile, 40 to 320; the height is 9/16 of it */
                width?: number;
                /** @description At most so many, 1 to 300; more pictures are thinned out evenly */
                tiles?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The track */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/vtt": unknown;
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVSpriteJpg: {
        parameters: {
            query: {
                /** @description MediaMTX path name (its rule since 1.17.1) */
                path: string;
                /** @description Pictures taken from then on */
                from: string;
                /** @description And before this; after `from` and at most 24 h later */
                to: string;
                /** @description Pixels of a tile, 40 to 320; the height is 9/16 of it */
                width?: number;
                /** @description At most so many, 1 to 300; more pictures are thinned out evenly */
                tiles?: number;
                /** @description As the index says: 404 when the pictures of the range are others by now */
                version?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The sprite */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/jpeg": unknown;
                };
            };
            /** @description Not modified */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVClipMp: {
        parameters: {
            query: {
                /** @description MediaMTX path name (its rule since 1.17.1) */
                path: string;
                /** @description The clip begins at the sync sample at or before it */
                from: string;
                /** @description The clip ends with the frame before it; at most 24 h after from */
                to: string;
                /** @description mp4: moov in front, for every player; fmp4: fragments, sent as they are read */
                format?: "mp4" | "fmp4";
                /** @description keep: time jumps over what is missing; close: what follows a gap follows at once */
                gaps?: "keep" | "close";
                /** @description IANA time zone of the time in the file name; else the server's */
                zone?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The clip */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "video/mp4": unknown;
                };
            };
            /** @description The range of an mp4 */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "video/mp4": unknown;
                };
            };
            /** @description The range begins behind the end */
            416: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVExports: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Exports */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExportList"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postApiVExports: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description MediaMTX path name (its rule since 1.17.1) */
                    path: string;
                    /**
                     * Format: date-time
                     * @description It begins at the sync sample at or before it
                     */
                    from: string;
                    /**
                     * Format: date-time
                     * @description It ends with the frame before it; at most 24 h after from
                     */
                    to: string;
                    /**
                     * @description mp4: moov in front, for every player; fmp4: fragments
                     * @default mp4
                     * @enum {string}
                     */
                    format?: "mp4" | "fmp4";
                    /**
                     * @description keep: time jumps over what is missing; close: what follows a gap follows at once
                     * @default keep
                     * @enum {string}
                     */
                    gaps?: "keep" | "close";
                    /**
                     * @description How long the result stays in the store
                     * @default 7d
                     * @example 24h
                     * @example 7d
                     */
                    keep?: string;
                };
            };
        };
        responses: {
            /** @description Will be made */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Export"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVExportsId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The export */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Export"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteApiVExportsId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As it is now */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Export"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVExportsIdFile: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All bytes */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "video/mp4": unknown;
                };
            };
            /** @description The range */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "video/mp4": unknown;
                };
            };
            /** @description Not modified */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The range begins behind the end */
            416: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getPlaybackList: {
        parameters: {
            query?: {
                /** @description MediaMTX path name */
                path?: string | string[];
                /** @description RFC 3339; timespans that end after it */
                start?: string | string[];
                /** @description RFC 3339; timespans that begin before it */
                end?: string | string[];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Timespans, oldest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MediaMtxTimespans"];
                };
            };
            /** @description A parameter is not accepted */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MediaMtxError"];
                };
            };
            /** @description No recording segments found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MediaMtxError"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getPlaybackGet: {
        parameters: {
            query?: {
                /** @description MediaMTX path name */
                path?: string | string[];
                /** @description RFC 3339 */
                start?: string | string[];
                /** @description Seconds, at most 24 h; or a Go duration such as 1h30m */
                duration?: string | string[];
                /** @description fmp4 (default) or mp4 */
                format?: string | string[];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The clip */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "video/mp4": unknown;
                };
            };
            /** @description The range of an mp4 */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "video/mp4": unknown;
                };
            };
            /** @description A parameter is not accepted */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MediaMtxError"];
                };
            };
            /** @description No recording segments found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MediaMtxError"];
                };
            };
            /** @description The range begins behind the end */
            416: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVShares: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Shares */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ShareList"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postApiVShares: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description MediaMTX path name (its rule since 1.17.1) */
                    path: string;
                    /**
                     * Format: date-time
                     * @description What may be seen begins here, or at the sync sample before it
                     */
                    from: string;
                    /**
                     * Format: date-time
                     * @description Nothing that begins here or later may be seen; at most 24 h after from
                     */
                    to: string;
                    /**
                     * @description Shown on its page
                     * @default
                     */
                    label?: string;
                    /**
                     * Format: date-time
                     * @description From 1 minute to 90 days from now
                     */
                    expiresAt: string;
                };
            };
        };
        responses: {
            /** @description Made */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewShare"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteApiVSharesId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Share"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getShareToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                token: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html; charset=utf-8": unknown;
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getShareTokenLinks: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                token: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Signed URLs */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ShareLinks"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVPaths: {
        parameters: {
            query?: {
                /** @description MediaMTX path name (its rule since 1.17.1) */
                path?: string;
                group?: string;
                /** @description Those that have each of these labels */
                label?: string[];
                /** @description Text in name, group or a label, whatever its case */
                q?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Paths */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PathList"] | components["schemas"]["Path"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postApiVPaths: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description MediaMTX path name (its rule since 1.17.1) */
                    name: string;
                    /**
                     * @description Where the stream comes from
                     * @example publisher
                     * @example rtsp://user:password@camera/stream
                     */
                    source?: string;
                    sourceFingerprint?: string;
                    sourceOnDemand?: boolean;
                    sourceOnDemandStartTimeout?: string;
                    sourceOnDemandCloseAfter?: string;
                    maxReaders?: number;
                    useAbsoluteTimestamp?: boolean;
                    record?: boolean;
                    /** @enum {string} */
                    recordFormat?: "fmp4" | "mpegts";
                    recordPartDuration?: string;
                    recordMaxPartSize?: string;
                    recordSegmentDuration?: string;
                    /** @enum {string} */
                    rtspTransport?: "automatic" | "udp" | "multicast" | "tcp";
                    rtspAnyPort?: boolean;
                    /** @enum {string} */
                    rtspRangeType?: "clock" | "npt" | "smpte";
                    rtspRangeStart?: string;
                    rtspScale?: string;
                    rtspUDPSourcePortRange?: number[];
                    whepBearerToken?: string;
                    whepSTUNGatherTimeout?: string;
                    whepHandshakeTimeout?: string;
                    whepTrackGatherTimeout?: string;
                    srtReadPassphrase?: string;
                    srtPublishPassphrase?: string;
                    overridePublisher?: boolean;
                    rtspDemuxMpegts?: boolean;
                    alwaysAvailable?: boolean;
                    alwaysAvailableTracks?: ({
                        /** @enum {string} */
                        codec: "AV1" | "VP9" | "H265" | "H264" | "Opus";
                    } | {
                        /** @constant */
                        codec: "MPEG4Audio";
                        sampleRate: number;
                        channelCount: number;
                    } | {
                        /** @constant */
                        codec: "LPCM";
                        sampleRate: number;
                        channelCount: number;
                    } | {
                        /** @constant */
                        codec: "G711";
                        sampleRate: number;
                        channelCount: number;
                        muLaw?: boolean;
                    })[];
                    alwaysAvailableRecorded?: boolean;
                    template?: string;
                    /**
                     * @description false: MediaMTX does not get the path at all
                     * @default true
                     */
                    enabled?: boolean;
                    /**
                     * @description none: files stay on disk until somebody deletes them
                     * @default all
                     * @enum {string}
                     */
                    archive?: "all" | "none";
                    /**
                     * @description How long a proven local copy stays; null: LOCAL_RETENTION
                     * @default null
                     */
                    localRetention?: string | null;
                    /**
                     * @description Kept and shown; nothing expires from the store yet
                     * @default null
                     */
                    archiveRetention?: string | null;
                    /** @default [] */
                    labels?: string[];
                    /**
                     * @description What the path is listed under; null: nothing
                     * @default null
                     */
                    group?: string | null;
                };
            };
        };
        responses: {
            /** @description Added */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Path"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteApiVPaths: {
        parameters: {
            query: {
                /** @description MediaMTX path name (its rule since 1.17.1) */
                path: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed; its recordings stay */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        removed: string;
                    };
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    patchApiVPaths: {
        parameters: {
            query: {
                /** @description MediaMTX path name (its rule since 1.17.1) */
                path: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    source?: string | null;
                    sourceFingerprint?: string | null;
                    sourceOnDemand?: boolean | null;
                    sourceOnDemandStartTimeout?: string | null;
                    sourceOnDemandCloseAfter?: string | null;
                    maxReaders?: number | null;
                    useAbsoluteTimestamp?: boolean | null;
                    record?: boolean | null;
                    recordFormat?: ("fmp4" | "mpegts") | null;
                    recordPartDuration?: string | null;
                    recordMaxPartSize?: string | null;
                    recordSegmentDuration?: string | null;
                    rtspTransport?: ("automatic" | "udp" | "multicast" | "tcp") | null;
                    rtspAnyPort?: boolean | null;
                    rtspRangeType?: ("clock" | "npt" | "smpte") | null;
                    rtspRangeStart?: string | null;
                    rtspScale?: string | null;
                    rtspUDPSourcePortRange?: number[] | null;
                    whepBearerToken?: string | null;
                    whepSTUNGatherTimeout?: string | null;
                    whepHandshakeTimeout?: string | null;
                    whepTrackGatherTimeout?: string | null;
                    srtReadPassphrase?: string | null;
                    srtPublishPassphrase?: string | null;
                    overridePublisher?: boolean | null;
                    rtspDemuxMpegts?: boolean | null;
                    alwaysAvailable?: boolean | null;
                    alwaysAvailableTracks?: ({
                        /** @enum {string} */
                        codec: "AV1" | "VP9" | "H265" | "H264" | "Opus";
                    } | {
                        /** @constant */
                        codec: "MPEG4Audio";
                        sampleRate: number;
                        channelCount: number;
                    } | {
                        /** @constant */
                        codec: "LPCM";
                        sampleRate: number;
                        channelCount: number;
                    } | {
                        /** @constant */
                        codec: "G711";
                        sampleRate: number;
                        channelCount: number;
                        muLaw?: boolean;
                    })[] | null;
                    alwaysAvailableRecorded?: boolean | null;
                    template?: string | null;
                    /** @description false: MediaMTX does not get the path at all */
                    enabled?: boolean;
                    /**
                     * @description none: files stay on disk until somebody deletes them
                     * @enum {string}
                     */
                    archive?: "all" | "none";
                    /** @description How long a proven local copy stays; null: LOCAL_RETENTION */
                    localRetention?: string | null;
                    /** @description Kept and shown; nothing expires from the store yet */
                    archiveRetention?: string | null;
                    labels?: string[];
                    /** @description What the path is listed under; null: nothing */
                    group?: string | null;
                };
            };
        };
        responses: {
            /** @description The path as it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Path"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVPathsName: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description MediaMTX path name (its rule since 1.17.1). The rest of the URL: slashes are written as they are. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The path */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Path"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteApiVPathsName: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description MediaMTX path name (its rule since 1.17.1). The rest of the URL: slashes are written as they are. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed; its recordings stay */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        removed: string;
                    };
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    patchApiVPathsName: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description MediaMTX path name (its rule since 1.17.1). The rest of the URL: slashes are written as they are. */
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    source?: string | null;
                    sourceFingerprint?: string | null;
                    sourceOnDemand?: boolean | null;
                    sourceOnDemandStartTimeout?: string | null;
                    sourceOnDemandCloseAfter?: string | null;
                    maxReaders?: number | null;
                    useAbsoluteTimestamp?: boolean | null;
                    record?: boolean | null;
                    recordFormat?: ("fmp4" | "mpegts") | null;
                    recordPartDuration?: string | null;
                    recordMaxPartSize?: string | null;
                    recordSegmentDuration?: string | null;
                    rtspTransport?: ("automatic" | "udp" | "multicast" | "tcp") | null;
                    rtspAnyPort?: boolean | null;
                    rtspRangeType?: ("clock" | "npt" | "smpte") | null;
                    rtspRangeStart?: string | null;
                    rtspScale?: string | null;
                    rtspUDPSourcePortRange?: number[] | null;
                    whepBearerToken?: string | null;
                    whepSTUNGatherTimeout?: string | null;
                    whepHandshakeTimeout?: string | null;
                    whepTrackGatherTimeout?: string | null;
                    srtReadPassphrase?: string | null;
                    srtPublishPassphrase?: string | null;
                    overridePublisher?: boolean | null;
                    rtspDemuxMpegts?: boolean | null;
                    alwaysAvailable?: boolean | null;
                    alwaysAvailableTracks?: ({
                        /** @enum {string} */
                        codec: "AV1" | "VP9" | "H265" | "H264" | "Opus";
                    } | {
                        /** @constant */
                        codec: "MPEG4Audio";
                        sampleRate: number;
                        channelCount: number;
                    } | {
                        /** @constant */
                        codec: "LPCM";
                        sampleRate: number;
                        channelCount: number;
                    } | {
                        /** @constant */
                        codec: "G711";
                        sampleRate: number;
                        channelCount: number;
                        muLaw?: boolean;
                    })[] | null;
                    alwaysAvailableRecorded?: boolean | null;
                    template?: string | null;
                    /** @description false: MediaMTX does not get the path at all */
                    enabled?: boolean;
                    /**
                     * @description none: files stay on disk until somebody deletes them
                     * @enum {string}
                     */
                    archive?: "all" | "none";
                    /** @description How long a proven local copy stays; null: LOCAL_RETENTION */
                    localRetention?: string | null;
                    /** @description Kept and shown; nothing expires from the store yet */
                    archiveRetention?: string | null;
                    labels?: string[];
                    /** @description What the path is listed under; null: nothing */
                    group?: string | null;
                };
            };
        };
        responses: {
            /** @description The path as it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Path"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVConfigSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Settings */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PathSettingList"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVConfigTemplates: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Templates */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TemplateList"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postApiVConfigBulk: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    names: string[];
                    patch: {
                        source?: string | null;
                        sourceFingerprint?: string | null;
                        sourceOnDemand?: boolean | null;
                        sourceOnDemandStartTimeout?: string | null;
                        sourceOnDemandCloseAfter?: string | null;
                        maxReaders?: number | null;
                        useAbsoluteTimestamp?: boolean | null;
                        record?: boolean | null;
                        recordFormat?: ("fmp4" | "mpegts") | null;
                        recordPartDuration?: string | null;
                        recordMaxPartSize?: string | null;
                        recordSegmentDuration?: string | null;
                        rtspTransport?: ("automatic" | "udp" | "multicast" | "tcp") | null;
                        rtspAnyPort?: boolean | null;
                        rtspRangeType?: ("clock" | "npt" | "smpte") | null;
                        rtspRangeStart?: string | null;
                        rtspScale?: string | null;
                        rtspUDPSourcePortRange?: number[] | null;
                        whepBearerToken?: string | null;
                        whepSTUNGatherTimeout?: string | null;
                        whepHandshakeTimeout?: string | null;
                        whepTrackGatherTimeout?: string | null;
                        srtReadPassphrase?: string | null;
                        srtPublishPassphrase?: string | null;
                        overridePublisher?: boolean | null;
                        rtspDemuxMpegts?: boolean | null;
                        alwaysAvailable?: boolean | null;
                        alwaysAvailableTracks?: ({
                            /** @enum {string} */
                            codec: "AV1" | "VP9" | "H265" | "H264" | "Opus";
                        } | {
                            /** @constant */
                            codec: "MPEG4Audio";
                            sampleRate: number;
                            channelCount: number;
                        } | {
                            /** @constant */
                            codec: "LPCM";
                            sampleRate: number;
                            channelCount: number;
                        } | {
                            /** @constant */
                            codec: "G711";
                            sampleRate: number;
                            channelCount: number;
                            muLaw?: boolean;
                        })[] | null;
                        alwaysAvailableRecorded?: boolean | null;
                        template?: string | null;
                        /** @description false: MediaMTX does not get the path at all */
                        enabled?: boolean;
                        /**
                         * @description none: files stay on disk until somebody deletes them
                         * @enum {string}
                         */
                        archive?: "all" | "none";
                        /** @description How long a proven local copy stays; null: LOCAL_RETENTION */
                        localRetention?: string | null;
                        /** @description Kept and shown; nothing expires from the store yet */
                        archiveRetention?: string | null;
                        labels?: string[];
                        /** @description What the path is listed under; null: nothing */
                        group?: string | null;
                    };
                    /**
                     * @description Tell what would be done, and do nothing
                     * @default false
                     */
                    dryRun?: boolean;
                };
            };
        };
        responses: {
            /** @description What was done, or would be */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PathBatchReport"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVConfigPaths: {
        parameters: {
            query?: {
                format?: "csv" | "yaml";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The list */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": unknown;
                    "application/yaml": unknown;
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postApiVConfigPaths: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @enum {string} */
                    format: "csv" | "yaml";
                    text: string;
                    /**
                     * @description merge leaves paths alone that the text does not mention, replace removes them
                     * @default merge
                     * @enum {string}
                     */
                    mode?: "merge" | "replace";
                    /**
                     * @description Tell what would be done, and do nothing
                     * @default false
                     */
                    dryRun?: boolean;
                };
            };
        };
        responses: {
            /** @description What was done, or would be */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PathBatchReport"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVPublishCredentials: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Credentials */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PublishCredentialList"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postApiVPublishCredentials: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description MediaMTX path name (its rule since 1.17.1) */
                    path: string;
                    /**
                     * @default camera
                     * @example camera
                     */
                    user?: string;
                    /** @description Left out, one is made, which is also cheaper to check */
                    password?: string;
                };
            };
        };
        responses: {
            /** @description Set */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MadePublishCredential"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteApiVPublishCredentials: {
        parameters: {
            query: {
                /** @description MediaMTX path name (its rule since 1.17.1) */
                path: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        removed: string;
                    };
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postApiVStreamTokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description MediaMTX path name (its rule since 1.17.1) */
                    path: string;
                    /**
                     * @description read: live
                     * @default read
                     * @enum {string}
                     */
                    action?: "read" | "playback";
                };
            };
        };
        responses: {
            /** @description Made */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MadeStreamToken"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getWellKnownJwksJson: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A JWK Set (RFC 7517) */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JwkSet"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVConfig: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description State */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Config"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postApiVConfigPreview: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description In this order */
                    changes?: ({
                        /** @constant */
                        action: "create";
                        /** @description MediaMTX path name (its rule since 1.17.1) */
                        name: string;
                        /**
                         * @description As POST and PATCH of /api/v1/paths take them
                         * @default {}
                         */
                        settings?: {
                            [key: string]: unknown;
                        };
                    } | {
                        /** @constant */
                        action: "update";
                        /** @description MediaMTX path name (its rule since 1.17.1) */
                        name: string;
                        /**
                         * @description As POST and PATCH of /api/v1/paths take them
                         * @default {}
                         */
                        settings?: {
                            [key: string]: unknown;
                        };
                    } | {
                        /** @constant */
                        action: "delete";
                        /** @description MediaMTX path name (its rule since 1.17.1) */
                        name: string;
                    })[];
                    /** @description Instead of changes: a version of the history */
                    rollbackTo?: number;
                };
            };
        };
        responses: {
            /** @description The configuration as it would be */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConfigPreview"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVConfigHistory: {
        parameters: {
            query?: {
                /** @description 1 to 200 */
                limit?: number;
                /** @description next of the page before */
                cursor?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConfigHistory"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVConfigHistoryVersion: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description a version */
                version: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The version */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConfigVersion"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postApiVConfigRollback: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    version: number;
                };
            };
        };
        responses: {
            /** @description Rolled back */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConfigRolledBack"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postApiVConfigAdopt: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description An existing mediamtx.yml */
                    yaml: string;
                    /** @default true */
                    dryRun?: boolean;
                    /**
                     * @description Commands that no template holds are lost; without it they block
                     * @default false
                     */
                    leaveCommands?: boolean;
                };
            };
        };
        responses: {
            /** @description What was done, or would be */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConfigAdopted"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVConfigDrift: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Each difference */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConfigDrift"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postApiVConfigDriftResolve: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description What becomes the paths' own; everything else becomes again what the table says
                     * @default []
                     */
                    takeOver?: {
                        /** @description MediaMTX path name (its rule since 1.17.1) */
                        path: string;
                        /** @enum {string} */
                        from: "file" | "server";
                        /** @description Absent: all that differ there; an empty one: the entry as a whole */
                        settings?: string[];
                    }[];
                    /** @default false */
                    dryRun?: boolean;
                };
            };
        };
        responses: {
            /** @description Resolved; MediaMTX follows within seconds */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConfigDriftResolved"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVArchive: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Backlog, last errors, rate */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ArchiveStatus"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVRejectedFiles: {
        parameters: {
            query?: {
                /** @description 1 to 1000 */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Files, by name */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RejectedFiles"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVScan: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Progress */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Scan"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postApiVScan: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Will scan */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        accepted: true;
                    };
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVDeletions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What stops deletions */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Deletions"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postApiVDeletionsResume: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ResumeDeletions"];
            };
        };
        responses: {
            /** @description What was released */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ResumedDeletions"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getHealth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Yes */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @enum {string} */
                        status: "ok" | "failed";
                        reason?: string;
                    };
                };
            };
            /** @description No */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @enum {string} */
                        status: "ok" | "failed";
                        reason?: string;
                    };
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getReady: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Yes */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @enum {string} */
                        status: "ok" | "failed";
                        reason?: string;
                    };
                };
            };
            /** @description No */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @enum {string} */
                        status: "ok" | "failed";
                        reason?: string;
                    };
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVHealthDetails: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Checks */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getMetrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Text format */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": unknown;
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postHooksSegmentCreate: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    secret?: string;
                    path: string;
                    segmentPath: string;
                    segmentDuration?: number | "" | string;
                };
                "application/x-www-form-urlencoded": {
                    secret?: string;
                    path: string;
                    segmentPath: string;
                    segmentDuration?: number | "" | string;
                };
            };
        };
        responses: {
            /** @description Heard */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        accepted: true;
                        id?: string;
                    };
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postHooksSegmentComplete: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    secret?: string;
                    path: string;
                    segmentPath: string;
                    segmentDuration?: number | "" | string;
                };
                "application/x-www-form-urlencoded": {
                    secret?: string;
                    path: string;
                    segmentPath: string;
                    segmentDuration?: number | "" | string;
                };
            };
        };
        responses: {
            /** @description Heard */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        accepted: true;
                        id?: string;
                    };
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postHooksReady: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    secret?: string;
                    path: string;
                    sourceType?: string;
                    sourceId?: string;
                };
                "application/x-www-form-urlencoded": {
                    secret?: string;
                    path: string;
                    sourceType?: string;
                    sourceId?: string;
                };
            };
        };
        responses: {
            /** @description Heard */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        accepted: true;
                        id?: string;
                    };
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postHooksNotReady: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    secret?: string;
                    path: string;
                    sourceType?: string;
                    sourceId?: string;
                };
                "application/x-www-form-urlencoded": {
                    secret?: string;
                    path: string;
                    sourceType?: string;
                    sourceId?: string;
                };
            };
        };
        responses: {
            /** @description Heard */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        accepted: true;
                        id?: string;
                    };
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postMediamtxAuthSecret: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                secret: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @default  */
                    user?: string;
                    /** @default  */
                    password?: string;
                    /**
                     * @description Repeats the password when there is one
                     * @default
                     */
                    token?: string;
                    /** @default  */
                    ip?: string;
                    /** @enum {string} */
                    action: "publish" | "read" | "playback" | "api" | "metrics" | "pprof";
                    /** @default  */
                    path?: string;
                    /**
                     * @description Empty but for publish and read
                     * @default
                     */
                    protocol?: string;
                    /** @description Of the session or connection; a read of RTSP asks for both in turn */
                    id?: string | null;
                    /** @default  */
                    query?: string;
                };
            };
        };
        responses: {
            /** @description They may */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description They may not */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVLoginOptions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Options */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LoginOptions"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postApiVLogin: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    name: string;
                    password: string;
                };
            };
        };
        responses: {
            /** @description Logged in */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LoggedIn"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postApiVLoginRefresh: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description Logged in */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LoggedIn"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postApiVLogout: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description Logged out */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Oneself */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postApiVMePassword: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    current: string;
                    new: string;
                };
            };
        };
        responses: {
            /** @description Oneself */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVLoginOidc: {
        parameters: {
            query?: {
                returnTo?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description On to the provider, or to the page, with ?loginError= when it failed */
            302: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVLoginOidcCallback: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description On to the provider, or to the page, with ?loginError= when it failed */
            302: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVUsers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Users */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserList"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postApiVUsers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @example anna */
                    name: string;
                    /**
                     * @description Each may what the one before it may
                     * @enum {string}
                     */
                    role: "viewer" | "operator" | "admin";
                    /** @default [] */
                    paths?: string[];
                    password: string;
                };
            };
        };
        responses: {
            /** @description Added */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVUsersId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The user */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteApiVUsersId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    patchApiVUsersId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description Each may what the one before it may
                     * @enum {string}
                     */
                    role?: "viewer" | "operator" | "admin";
                    paths?: string[];
                    disabled?: boolean;
                    password?: string;
                };
            };
        };
        responses: {
            /** @description As it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVSessions: {
        parameters: {
            query?: {
                user?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Sessions */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionList"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteApiVSessionsId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVTokens: {
        parameters: {
            query?: {
                user?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Tokens */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiTokenList"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postApiVTokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    name: string;
                    /**
                     * @description At most one's own
                     * @enum {string}
                     */
                    role: "viewer" | "operator" | "admin";
                    /** @description Of those that are open to oneself */
                    paths: string[];
                    /** @default null */
                    expiresAt?: string | null;
                };
            };
        };
        responses: {
            /** @description Made */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MadeApiToken"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteApiVTokensId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVAudit: {
        parameters: {
            query?: {
                /** @description Part of who did it and from where, of the action, the target, or what was before or after; upper and lower case alike */
                search?: string;
                /** @description Name of whoever did it */
                actor?: string;
                /** @description As in user.create, or the noun alone */
                action?: string;
                /** @description A path, user:NAME, token:ID, share:ID */
                target?: string;
                /** @description RFC 3339 date-time */
                from?: string;
                /** @description RFC 3339 date-time */
                to?: string;
                /** @description 1 to 500 */
                limit?: number;
                /** @description `next` of the page before */
                before?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Entries */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditList"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    postApiVSignedUrls: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description Of a playlist, its media, a clip, a picture or a file, from /api/v1/ on, without a path of PUBLIC_URL
                     * @example /api/v1/clip.mp4?path=cam1&from=2026-11-20T17:00:00Z&to=2026-11-20T17:05:00Z
                     */
                    url: string;
                };
            };
        };
        responses: {
            /** @description Signed */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignedUrl"];
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get: {
        parameters: {
            query?: {
                path?: string;
                at?: string;
                zoom?: string;
                loginError?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html; charset=utf-8": unknown;
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getAssetsFile: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                file: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file; its name changes with its bytes */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/javascript": unknown;
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getIconSvg: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/svg+xml": unknown;
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiDocs: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html; charset=utf-8": unknown;
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiDocsDocsJs: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/javascript; charset=utf-8": unknown;
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiDocsSwaggerUiCss: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/css; charset=utf-8": unknown;
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiDocsSwaggerUiBundleJs: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/javascript; charset=utf-8": unknown;
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getApiVOpenapiJson: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OpenAPI 3.1 */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
            /** @description Problem */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
