/** The protocol's XML: the same fields as in JSON, but for a name that is spelled in another way and the mark of an empty map. */
import { XMLBuilder } from "fast-xml-parser";
import { LIST_CHUNK_ROWS } from "../../limits.ts";
import type { Lease } from "./instance.ts";
import type { Listing, ProtocolForm } from "./protocol-form.ts";
import { oneInstance } from "./protocol-json.ts";

const builder = new XMLBuilder({
  attributeNamePrefix: "@",
  textNodeName: "$",
  ignoreAttributes: false,
  suppressEmptyNode: true,
  // `enabled="true"`, which the library would shorten to what is no XML.
  suppressBooleanAttributes: false,
});

export const xmlForm: ProtocolForm = {
  contentType: "application/xml",
  listing: listingText,
  application: ({ name, leases }) => builder.build({ application: { name, instance: leases.map(xmlInstance) } }),
  instance: (lease) => builder.build({ instance: xmlInstance(lease) }),
};

async function* listingText({ applications, hashcode, version }: Listing): AsyncGenerator<string> {
  yield `<applications>${builder.build({ versions__delta: version, apps__hashcode: hashcode })}`;
  for (const { name, leases } of applications) {
    yield `<application>${builder.build({ name })}`;
    for (let start = 0; start < leases.length; start += LIST_CHUNK_ROWS) {
      yield builder.build({ instance: leases.slice(start, start + LIST_CHUNK_ROWS).map(xmlInstance) });
    }
    yield "</application>";
  }
  yield "</applications>";
}

function xmlInstance(lease: Lease): Readonly<Record<string, unknown>> {
  const { dataCenterInfo, overriddenStatus, metadata, ...others } = oneInstance(lease);
  const ofDataCenter = lease.instance.dataCenter.metadata;
  return {
    ...others,
    overriddenstatus: overriddenStatus,
    dataCenterInfo: { ...dataCenterInfo, ...(ofDataCenter && { metadata: xmlMap(ofDataCenter) }) },
    metadata: xmlMap(metadata),
  };
}

/** The name of an entry becomes the name of an element, which not every name can be: such an entry is told in JSON alone. */
function xmlMap(map: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries = Object.entries(map).filter(([name]) => /^[A-Za-z_][A-Za-z0-9._-]*$/.test(name));
  return entries.length === 0 ? { "@class": "java.util.Collections$EmptyMap" } : Object.fromEntries(entries);
}
