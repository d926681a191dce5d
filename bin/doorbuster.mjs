#!/usr/bin/env node
import { join } from "node:path";
import { handOverToBun, installWhatIsMissing, root } from "./installed.mjs";

installWhatIsMissing();
handOverToBun([join(root, "src", "main.ts"), ...process.argv.slice(2)]);
