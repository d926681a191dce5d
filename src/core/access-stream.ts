/**
 * The Redis Streams that gates add their access records to, as those who write and those who read must both know them.
 *
 * An entry has one field, `records`: the records of about a tenth of a second of one gate, each a line of JSON, in the order in which the
 * purchases ended. A gate's entries go to all streams in turn, so that a cluster shares them; nothing is said about the order between entries.
 */

/** So that every node of a cluster has some: with fewer names their slots would lie on few nodes. */
const STREAMS = 8;

export const ACCESS_STREAM_KEYS: readonly string[] = Array.from({ length: STREAMS }, (_, index) => `{doorbuster:access:${index}}:records`);
export const ACCESS_STREAM_FIELD = "records";

/** The records of an entry, without their line feeds. */
export const recordsOf = (entry: string): readonly string[] => entry.split("\n").filter((line) => line !== "");
