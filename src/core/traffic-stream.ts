/**
 * What the analyses of one traffic share in Redis. They are one consumer group of the access streams (`access-stream.ts`), so each record is read
 * by one of them. What it has seen it adds to one stream of digests, which all of them read.
 */

export const TRAFFIC_GROUP = "traffic";
export const DIGEST_STREAM_KEY = "{doorbuster:traffic}:digests";
export const DIGEST_FIELD = "digest";
