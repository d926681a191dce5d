/** The contract holds with gates in processes of their own. */
import { test } from "bun:test";
import { expectContract } from "./contract-suite.ts";

const SUITE_MS_MAX = 400_000;

// One gate: the suite counts what one gate's throttle lets through.
test("the contract, with a gate in a process of its own", () => expectContract("--gates 1"), SUITE_MS_MAX);
