/** What is known of a service's instances while nobody can say, and what a step does when nobody answers for it. */
import { describe, expect, test } from "bun:test";
import { Failure } from "../core/failure.ts";
import { Instances } from "./instances.ts";
import { openWhenDown } from "./when-down.ts";

describe("the instances of a service", () => {
  test("are nobody until somebody has said", () => {
    expect(new Instances(async () => ["http://a"]).current()).toEqual([]);
  });

  test("are kept while nobody can say, and the same array while nothing changes", async () => {
    let said: readonly string[] | null = ["http://a", "http://b"];
    const instances = new Instances(async () => said);
    await instances.refresh();
    const before = instances.current();
    expect(before).toEqual(["http://a", "http://b"]);
    said = null;
    await instances.refresh();
    expect(instances.current()).toBe(before);
    said = ["http://a", "http://b"];
    await instances.refresh();
    expect(instances.current()).toBe(before);
    said = ["http://b"];
    await instances.refresh();
    expect(instances.current()).toEqual(["http://b"]);
  });

  test("are kept when a registry that was started again knows nobody yet, and follow it when it does", async () => {
    let said: readonly string[] = ["http://a", "http://b"];
    const instances = new Instances(async () => said);
    await instances.refresh();
    said = [];
    await instances.refresh();
    expect(instances.current()).toEqual(["http://a", "http://b"]);
    said = ["http://b"];
    await instances.refresh();
    expect(instances.current()).toEqual(["http://b"]);
  });

  test("are looked for once at a time, and again after a look that took long", async () => {
    const looks: PromiseWithResolvers<readonly string[] | null>[] = [];
    const instances = new Instances(() => {
      const look = Promise.withResolvers<readonly string[] | null>();
      looks.push(look);
      return look.promise;
    });
    const both = [instances.refresh(), instances.refresh()];
    expect(looks).toHaveLength(1);
    looks[0]?.resolve(["http://a"]);
    await Promise.all(both);
    const third = instances.refresh();
    looks[1]?.resolve(["http://b"]);
    await third;
    expect(instances.current()).toEqual(["http://b"]);
  });
});

describe("a step that nobody answers for", () => {
  const down = (): Promise<readonly string[]> => Promise.reject(new Failure("unreachable", "nobody is there", true));
  const passed = (item: string): string => `${item} passes`;

  test("says so where it is closed", async () => {
    await expect(Promise.resolve(openWhenDown("closed", down, passed)(["x"]))).rejects.toBeInstanceOf(Failure);
  });

  test("lets everybody pass where it is open", async () => {
    expect(await openWhenDown("open", down, passed)(["x", "y"])).toEqual(["x passes", "y passes"]);
  });

  test("that is open says what the service says while that answers", async () => {
    const asked = openWhenDown("open", async (items: readonly string[]) => items.map((item) => `${item} is refused`), passed);
    expect(await asked(["x"])).toEqual(["x is refused"]);
  });

  test("that is open does not pass over a bug", async () => {
    const broken = (): Promise<readonly string[]> => Promise.reject(new TypeError("a bug"));
    await expect(Promise.resolve(openWhenDown("open", broken, passed)(["x"]))).rejects.toBeInstanceOf(TypeError);
  });
});
