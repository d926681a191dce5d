/** The providers that an operator has configured, checked once at start. */
import type { Clock } from "../core/time.ts";
import { NOTICE_SECRETS_MAX } from "../limits.ts";
import { GenericProvider, type GenericSettings, redirectTemplateFault } from "./generic-provider.ts";
import type { Fetch, PaymentProvider } from "./provider.ts";
import type { StripeSettings } from "./stripe-provider.ts";

export interface ProviderSettings {
  readonly stripe: StripeSettings | null;
  readonly generic: GenericSettings | null;
}

/** Rejects, with one line for the operator, when a setting cannot be used. */
export async function openProviders({ stripe, generic }: ProviderSettings, fetch: Fetch, clock: Clock): Promise<PaymentProvider[]> {
  const providers: PaymentProvider[] = [];
  if (stripe) {
    refuse("stripe", secretsFault(stripe.webhookSecrets) ?? baseUrlFault(stripe.baseUrl));
    // Its library is large: only who uses it waits for it at start and has it in memory.
    const { StripeProvider } = await import("./stripe-provider.ts");
    providers.push(new StripeProvider(stripe, fetch, clock));
  }
  if (generic) {
    refuse(generic.name, secretsFault(generic.secrets) ?? templateFault(generic) ?? refundUrlFault(generic));
    providers.push(new GenericProvider(generic, fetch, clock));
  }
  return providers;
}

function refuse(provider: string, fault: string | null): void {
  if (fault !== null) throw new Error(`the payment provider ${provider} cannot be used: ${fault}`);
}

function secretsFault(secrets: readonly string[]): string | null {
  // Without a secret no notification can be believed: money would be taken, and nobody would ever get goods for it.
  if (secrets.length === 0) return "it needs a secret for its notifications";
  return secrets.length > NOTICE_SECRETS_MAX ? `it has more than ${NOTICE_SECRETS_MAX} secrets` : null;
}

function baseUrlFault(url: URL | null): string | null {
  if (url === null || (/^https?:$/.test(url.protocol) && url.pathname === "/" && url.search === "" && url.username === "")) return null;
  return "its base URL is not of the form http://host:port";
}

function templateFault({ redirectTemplate }: GenericSettings): string | null {
  const fault = redirectTemplateFault(redirectTemplate);
  return fault && `the address of its pay page ${fault}`;
}

function refundUrlFault({ refundUrl }: GenericSettings): string | null {
  return refundUrl === null || (/^https?:\/\//.test(refundUrl) && URL.canParse(refundUrl))
    ? null
    : "its refund address is no http or https address";
}
