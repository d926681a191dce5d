/** `traceparent` as W3C Trace Context, Level 1, section 3.2 has it. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { traceIds } from "./trace-id.ts";
import { formatTraceparent, isTraceId, parseTraceparent, purchaseSpanId, traceparentOf } from "./traceparent.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";

describe("a header", () => {
  test.each([
    ["00", false],
    ["01", true],
    ["02", false],
    ["ff", true],
  ])("with the flags %p says whether its trace is recorded: %p", (flags, isSampled) => {
    expect(parseTraceparent(`00-${TRACE}-${PARENT}-${flags}`)).toEqual({ traceId: TRACE, parentId: PARENT, isSampled });
  });

  test.each([
    ["of another length", `00-${TRACE}-${PARENT}-0`],
    ["with more behind its flags", `00-${TRACE}-${PARENT}-01-`],
    ["with a field too many", `00-${TRACE}-${PARENT}-01-what-the-future-will-be-like`],
    ["with capital letters", `00-${TRACE.toUpperCase()}-${PARENT}-01`],
    ["with capital letters in the parent", `00-${TRACE}-${PARENT.toUpperCase()}-01`],
    ["with capital letters in the version", `CC-${TRACE}-${PARENT}-01`],
    ["with a trace id of zeros", `00-${"0".repeat(32)}-${PARENT}-01`],
    ["with a parent of zeros", `00-${TRACE}-${"0".repeat(16)}-01`],
    ["of the version that is none", `ff-${TRACE}-${PARENT}-01`],
    ["of that version, longer", `ff-${TRACE}-${PARENT}-01-x`],
    ["of a version that is no number", `0x-${TRACE}-${PARENT}-01`],
    ["with flags that are no number", `00-${TRACE}-${PARENT}-.1`],
    ["with other separators", `00_${TRACE}_${PARENT}_01`],
    ["given twice", `00-${TRACE}-${PARENT}-01, 00-${TRACE}-${PARENT}-01`],
    ["with a space before it", ` 00-${TRACE}-${PARENT}-01`],
    ["with a line behind it", `00-${TRACE}-${PARENT}-01\n`],
    ["that is empty", ""],
  ])("%s is ignored", (_, header) => {
    expect(parseTraceparent(header)).toBeNull();
  });

  test("of a later version is read as far as ours goes", () => {
    const expected = { traceId: TRACE, parentId: PARENT, isSampled: true };
    for (const more of ["", "-", "-what-the-future-will-be-like"])
      expect(parseTraceparent(`cc-${TRACE}-${PARENT}-01${more}`)).toEqual(expected);
    expect(parseTraceparent(`cc-${TRACE}-${PARENT}-01.more`)).toBeNull();
    expect(parseTraceparent(`01-${TRACE}-${PARENT}-011`)).toBeNull();
  });

  test("that was written is read back", () => {
    const hex = (digits: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${digits}}$`)).filter((text) => !/^0+$/.test(text));
    fc.assert(
      fc.property(fc.record({ traceId: hex(32), parentId: hex(16), isSampled: fc.boolean() }), (parent) => {
        expect(parseTraceparent(formatTraceparent(parent))).toEqual(parent);
      }),
    );
  });
});

describe("a call for a purchase", () => {
  test("carries the purchase's own trace id, and as its parent the same span in every process", () => {
    const sessionId = traceIds("8c".repeat(16))();
    const header = traceparentOf(sessionId, true);
    expect(header && parseTraceparent(header)).toEqual({ traceId: sessionId, parentId: purchaseSpanId(sessionId), isSampled: true });
    expect(traceparentOf(sessionId, false)).toEndWith("-00");
  });

  test("has no header when its session id is no trace id", () => {
    for (const sessionId of ["SID0000001", "", "0".repeat(32), TRACE.toUpperCase(), `${TRACE}0`, `${TRACE}\n`]) {
      expect([isTraceId(sessionId), traceparentOf(sessionId, true)]).toEqual([false, null]);
    }
  });

  test("has a parent that is not zero, whatever the trace id", () => {
    expect(purchaseSpanId(`${"a".repeat(16)}${"0".repeat(16)}`)).toBe(`${"0".repeat(15)}1`);
    expect(purchaseSpanId(TRACE)).toBe("8448eb211c80319c");
  });
});
