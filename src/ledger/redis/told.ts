/** What the scripts append to a partition's stream, and who reads it back: events, and notes of what operators have set. */
import type { Sku, UserId } from "../../core/ids.ts";
import type { UnixMs } from "../../core/time.ts";
import type { Told } from "../holds-together.ts";
import type { LedgerEvent } from "../ledger.ts";

/** What operators have set, for a Redis that loses its data. */
export type Note =
  | { readonly type: "note.stocked"; readonly at: UnixMs; readonly sku: Sku; readonly stocked: number; readonly priceCents: number }
  | { readonly type: "note.removed"; readonly sku: Sku }
  | {
      readonly type: "note.recorded";
      readonly sku: Sku;
      readonly userId: UserId;
      readonly ordered: number;
      readonly userLevel: number;
    };

export const isNote = (told: Told | Note): told is Note => told.type.startsWith("note.");

/** An entry of a stream. */
export interface Entry {
  readonly id: string;
  readonly text: string;
  /** How many holds it tells together; 0: it is a list of events and notes. */
  readonly holds: number;
  readonly at: UnixMs;
}

/** @param piece as `stream.lua` answers */
export const readEntries = (piece: readonly string[]): readonly Entry[] =>
  Array.from({ length: piece.length / 4 }, (_, n) => {
    const [id, text, holds, at] = piece.slice(4 * n, 4 * n + 4) as [string, string, string, string];
    return { id, text, holds: Number(holds), at: Number(at) };
  });

/** What an entry tells. Holds stay together: whoever asks for one of them takes them apart. */
export const readTold = ({ text, holds, at }: Entry): readonly (Told | Note)[] =>
  holds > 0 ? [{ type: "holds.created", at, count: holds, text }] : (JSON.parse(text) as readonly (LedgerEvent | Note)[]);
