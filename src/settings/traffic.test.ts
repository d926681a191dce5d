import { describe, expect, test } from "bun:test";
import { readSettings, type SettingSources } from "./read.ts";

const scenario = {
  ...{ name: "flood", group: "account", windowSeconds: 10, when: [{ signal: "requests", atLeast: 20 }], action: "observe" },
  durationSeconds: 60,
};
const read = (document: object, flags: SettingSources["flags"] = {}) =>
  readSettings({ flags, environment: {}, configFileText: JSON.stringify(document) });
const faultOf = (wrong: object): string => {
  const found = read({ scenarios: [scenario, { ...scenario, name: "other", ...wrong }] });
  return "error" in found ? found.error : "accepted";
};

describe("the settings of the traffic analysis", () => {
  test("scenarios stand in the configuration file as data", () => {
    const found = read({ scenarios: [scenario] });
    expect("settings" in found && found.settings.traffic.scenarios).toEqual([scenario as never]);
  });

  test("an analysis can be switched off", () => {
    const found = read({}, { traffic: "off" });
    expect("settings" in found && found.settings.traffic.isOn).toBe(false);
  });

  test.each([
    ["a missing field", { action: undefined }, "/1"],
    ["an unknown field", { colour: "red" }, "/1"],
    ["a wrong action", { action: "ban" }, "/1/action"],
    ["a window that there is not", { windowSeconds: 30 }, "/1/windowSeconds"],
    ["a name that two have", { name: "flood" }, "/1/name"],
    ["an unknown signal", { when: [{ signal: "smell", atLeast: 1 }] }, "/1/when/0"],
    ["no condition", { when: [] }, "/1/when"],
    ["a share alone", { when: [{ signal: "refused", of: "requests", atLeast: 0.5 }] }, "/1/when"],
    ["accounts of an account", { when: [{ signal: "accounts", atLeast: 5 }] }, "/1/when"],
    ["others over ten minutes", { windowSeconds: 600, when: [{ signal: "addresses", atLeast: 5 }] }, "/1/when"],
    ["more others than can be told apart", { group: "address", when: [{ signal: "accounts", atLeast: 5_000 }] }, "/1/when"],
    ["a duration of nothing", { durationSeconds: 0 }, "/1/durationSeconds"],
  ])("%s is refused at start, and the message says where", (_, wrong, pointer) => {
    expect(faultOf(wrong)).toContain(`"scenarios" (in the configuration file)`);
    expect(faultOf(wrong)).toContain(`is wrong at ${pointer}`);
  });
});
