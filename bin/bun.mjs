#!/usr/bin/env node
// `npm test` and its kin: Bun with the given arguments, from the project's folder, installed first when it is missing.
import { handOverToBun, installWhatIsMissing, root } from "./installed.mjs";

installWhatIsMissing();
handOverToBun(process.argv.slice(2), root);
