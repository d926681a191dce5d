/**
 * All migrations of the Postgres database, in the order in which they are applied. One that was ever released is never changed, moved or
 * removed: databases remember its checksum. What must be different is a further migration.
 */
import outbox from "./0001-outbox.sql" with { type: "text" };
import refunds from "./0002-refunds.sql" with { type: "text" };
import orders from "./0003-orders.sql" with { type: "text" };
import webhooks from "./0004-webhooks.sql" with { type: "text" };
import outboxSources from "./0005-outbox-sources.sql" with { type: "text" };
import operatorChanges from "./0006-operator-changes.sql" with { type: "text" };
import goodsSince from "./0007-goods-since.sql" with { type: "text" };
import operatorNames from "./0008-operator-names.sql" with { type: "text" };
import ordersByAge from "./0009-orders-by-age.sql" with { type: "text" };

export interface Migration {
  readonly name: string;
  readonly text: string;
}

export const MIGRATIONS: readonly Migration[] = [
  { name: "0001-outbox", text: outbox },
  { name: "0002-refunds", text: refunds },
  { name: "0003-orders", text: orders },
  { name: "0004-webhooks", text: webhooks },
  { name: "0005-outbox-sources", text: outboxSources },
  { name: "0006-operator-changes", text: operatorChanges },
  { name: "0007-goods-since", text: goodsSince },
  { name: "0008-operator-names", text: operatorNames },
  { name: "0009-orders-by-age", text: ordersByAge },
];
