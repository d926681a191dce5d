import { expect, test } from "bun:test";
import { HttpReplyParser, type Parsed } from "./http-reply-parser.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const parse = (text: string): Parsed => new HttpReplyParser().push(bytes(text));

const plain = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{"note":"雪"}';
const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=1\r\n world\r\n0\r\n\r\n";

for (const [name, reply, body] of [
  ["a reply with a length", plain, '{"note":"雪"}'],
  ["a chunked reply", chunked, "hello world"],
  ["a chunked reply with a trailer", `${chunked.slice(0, -2)}X-Sum: 1\r\n\r\n`, "hello world"],
  ["a reply behind an interim one", `HTTP/1.1 100 Continue\r\n\r\n${plain}`, '{"note":"雪"}'],
  ["a reply without a body", "HTTP/1.1 204 No Content\r\n\r\n", ""],
] as const) {
  test(`${name} is read, whole or cut into pieces at any byte`, () => {
    expect(parse(reply)).toMatchObject({ body, keepsAlive: true });
    const whole = bytes(reply);
    const byByte = new HttpReplyParser();
    for (const byte of whole.subarray(0, -1)) expect(byByte.push(new Uint8Array([byte]))).toBe("incomplete");
    expect(byByte.push(whole.subarray(-1))).toMatchObject({ body });
    for (let at = 1; at < whole.length; at += 1) {
      const parser = new HttpReplyParser();
      expect(parser.push(whole.subarray(0, at))).toBe("incomplete");
      expect(parser.push(whole.subarray(at))).toMatchObject({ body });
    }
  });
}

test("after a reply the parser is ready for the next one", () => {
  const parser = new HttpReplyParser();
  expect(parser.push(bytes(plain.slice(0, 30)))).toBe("incomplete");
  expect(parser.push(bytes(plain.slice(30)))).toMatchObject({ status: 200 });
  expect(parser.push(bytes("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"))).toMatchObject({ status: 404, body: "" });
});

test("a reply without a length ends with its connection", () => {
  const parser = new HttpReplyParser();
  expect(parser.push(bytes("HTTP/1.0 200 OK\r\n\r\nsome "))).toBe("incomplete");
  expect(parser.push(bytes("text"))).toBe("incomplete");
  expect(parser.end()).toMatchObject({ body: "some text", keepsAlive: false });
});

test("half a reply is none when the connection ends", () => {
  const parser = new HttpReplyParser();
  parser.push(bytes(plain.slice(0, -1)));
  expect(parser.end()).toBe("incomplete");
});

test("a connection that will be closed is not used again", () => {
  expect(parse("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")).toMatchObject({ keepsAlive: false });
});

test("what is no reply, or has bytes after its end, is broken", () => {
  expect(parse("SSH-2.0-OpenSSH_9.2\r\n\r\n")).toBe("broken");
  expect(parse(`${plain}x`)).toBe("broken");
  expect(parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")).toBe("broken");
  expect(parse("x".repeat(20_000))).toBe("broken");
});
