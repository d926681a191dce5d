/** Which changes are in the audit trail. */
import { expect, test } from "bun:test";
import { declaredEndpoints } from "../../test/declared-endpoints.ts";
import { TRAILED, TRAILED_IF_NAMED } from "./trailed-routes.ts";

test("every change that needs the admin key is in the trail, but for orders, of which events tell; one that somebody cancels by name is", async () => {
  const changes = (await declaredEndpoints()).filter(({ method, needsAdminKey }) => needsAdminKey && method !== "GET");
  const names = new Set(changes.map(({ name }) => name));
  for (const name of ["placeOrder", ...TRAILED_IF_NAMED.keys()]) expect(names.delete(name)).toBe(true);
  expect([...TRAILED.keys()].toSorted()).toEqual([...names].toSorted());
});
