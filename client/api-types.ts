/** What the API takes and answers, made from its OpenAPI document by `npm run client`. Changes by hand are lost. */

export interface Operations {
  /** Buys: freezes goods for a shopper until a deadline, or says why not. */
  readonly buy: {
    readonly method: "POST";
    readonly path: "/buy";
    readonly params: Readonly<Record<string, never>>;
    readonly query: Readonly<Record<string, never>>;
    readonly body: {
      /** 1-128 characters, no control characters */
      readonly sessionID?: string;
      /** an IPv4 or IPv6 address */
      readonly clientIP: string;
      /** 1-128 characters, no control characters */
      readonly userID: string;
      /** an integer from 0 to 1000000 */
      readonly userLevel: number;
      /** 1-128 characters, no control characters */
      readonly goodsSKU: string;
      /** an integer from 1 to 1000000 */
      readonly goodsQuantity: number;
    };
    readonly replies: {
      /** `repResult` tells which of the two it is. */
      readonly 200:
        | {
            /** for the shopper: what happened and what to do next */
            readonly reponseMsg: string;
            readonly isThrottled: boolean;
            readonly version: string;
            /** the trace id of this purchase */
            readonly sessionID: string;
            readonly step: "throttle" | "protect" | "policy" | "inventory" | "cart";
            readonly repResult: true;
            readonly reason: null;
            readonly hold: {
              /** 1-128 characters, no control characters */
              readonly goodsSKU: string;
              /** what this user has frozen of this SKU now */
              readonly goodsQuantity: number;
              /** when the hold ends, in unix ms */
              readonly expiresAt: number;
            };
          }
        | {
            /** for the shopper: what happened and what to do next */
            readonly reponseMsg: string;
            readonly isThrottled: boolean;
            readonly version: string;
            /** the trace id of this purchase */
            readonly sessionID: string;
            readonly step: "throttle" | "protect" | "policy" | "inventory" | "cart";
            readonly repResult: false;
            /** why not: sold-out, limit-reached, level-too-low, blacklisted, not-started, ended, paused, ... */
            readonly reason: string;
            /** with not-started: when the sale opens, in unix ms */
            readonly opensAt?: number;
          };
      /** The request is malformed, or a field is wrong; `errors` names every one. */
      readonly 400: Problem;
      /** The token is missing, or is none of ours. */
      readonly 401: Problem;
      /** The request names another user than the token. */
      readonly 403: Problem;
      /** A request with this Idempotency-Key is on its way: ask again with the same key after `Retry-After`. */
      readonly 409: Problem;
      /** The body is longer than 16384 bytes. */
      readonly 413: Problem;
      /** The body is not declared as JSON. */
      readonly 415: Problem;
      /** This Idempotency-Key was used for another request. */
      readonly 422: Problem;
      /** The throttle refuses: too many requests at this moment. Nothing has happened. */
      readonly 429: {
        /** for the shopper: what happened and what to do next */
        readonly reponseMsg: string;
        readonly isThrottled: boolean;
        readonly version: string;
        /** the trace id of this purchase */
        readonly sessionID: string;
        readonly step: "throttle" | "protect" | "policy" | "inventory" | "cart";
        readonly repResult: false;
        /** why not: sold-out, limit-reached, level-too-low, blacklisted, not-started, ended, paused, ... */
        readonly reason: string;
        /** with not-started: when the sale opens, in unix ms */
        readonly opensAt?: number;
      };
      /** A step could not answer: nothing is frozen, or it is and ends at its deadline. Ask again with the same key. */
      readonly 503: {
        /** for the shopper: what happened and what to do next */
        readonly reponseMsg: string;
        readonly isThrottled: boolean;
        readonly version: string;
        /** the trace id of this purchase */
        readonly sessionID: string;
        readonly step: "throttle" | "protect" | "policy" | "inventory" | "cart";
        readonly repResult: false;
        /** why not: sold-out, limit-reached, level-too-low, blacklisted, not-started, ended, paused, ... */
        readonly reason: string;
        /** with not-started: when the sale opens, in unix ms */
        readonly opensAt?: number;
      };
      /** The request could not be answered. */
      readonly default: Problem;
    };
  };
  /** What is on sale, what will be, and what was lately. */
  readonly sales: {
    readonly method: "GET";
    readonly path: "/sales";
    readonly params: Readonly<Record<string, never>>;
    readonly query: Readonly<Record<string, never>>;
    readonly body: null;
    readonly replies: {
      /** The board. */
      readonly 200: {
        /** this server's clock, in unix ms, to set one's own by */
        readonly serverNow: number;
        readonly sales: readonly {
          /** 1-128 characters, no control characters */
          readonly id: string;
          readonly name: string;
          /** ISO 8601 with offset */
          readonly startsAt: string;
          /** ISO 8601 with offset */
          readonly endsAt: string;
          readonly status: "scheduled" | "live" | "paused" | "ended";
          readonly frozenForSeconds?: number;
          readonly paymentWindowSeconds?: number;
          readonly items: readonly {
            /** 1-128 characters, no control characters */
            readonly goodsSKU: string;
            /** a number from 0 to 10000000 with at most two decimals */
            readonly salePrice: number;
            /** an integer from 1 to 1000000000 */
            readonly quantityLimit?: number;
            readonly availability: "many" | "few" | "none" | number;
          }[];
        }[];
      };
      /** Nothing of it has changed but the time. */
      readonly 304: null;
      /** The request could not be answered. */
      readonly default: Problem;
    };
  };
  /** One sale, with what is left of its goods. */
  readonly sale: {
    readonly method: "GET";
    readonly path: "/sales/{id}";
    readonly params: {
      /** 1-128 characters, no control characters, not only one or two dots */
      readonly id: string;
    };
    readonly query: Readonly<Record<string, never>>;
    readonly body: null;
    readonly replies: {
      /** The sale. */
      readonly 200: {
        /** this server's clock, in unix ms, to set one's own by */
        readonly serverNow: number;
        /** 1-128 characters, no control characters */
        readonly id: string;
        readonly name: string;
        /** ISO 8601 with offset */
        readonly startsAt: string;
        /** ISO 8601 with offset */
        readonly endsAt: string;
        readonly status: "scheduled" | "live" | "paused" | "ended";
        readonly frozenForSeconds?: number;
        readonly paymentWindowSeconds?: number;
        readonly items: readonly {
          /** 1-128 characters, no control characters */
          readonly goodsSKU: string;
          /** a number from 0 to 10000000 with at most two decimals */
          readonly salePrice: number;
          /** an integer from 1 to 1000000000 */
          readonly quantityLimit?: number;
          readonly availability: "many" | "few" | "none" | number;
        }[];
      };
      /** Nothing of it has changed but the time. */
      readonly 304: null;
      /** The request is malformed, or a field is wrong; `errors` names every one. */
      readonly 400: Problem;
      /** There is no such sale. */
      readonly 404: Problem;
      /** The request could not be answered. */
      readonly default: Problem;
    };
  };
  /** The shopper's cart. */
  readonly cart: {
    readonly method: "GET";
    readonly path: "/cart";
    readonly params: Readonly<Record<string, never>>;
    readonly query: {
      /** 1-128 characters, no control characters */
      readonly userID?: string;
    };
    readonly body: null;
    readonly replies: {
      /** What is frozen for them now. */
      readonly 200: {
        /** 1-128 characters, no control characters */
        readonly userID: string;
        readonly items: readonly {
          /** 1-128 characters, no control characters */
          readonly goodsSKU: string;
          /** an integer from 1 to 1000000 */
          readonly goodsQuantity: number;
          /** a number from 0 to 10000000 with at most two decimals */
          readonly goodsPrice: number;
          /** when the hold ends, in unix ms */
          readonly expiresAt: number;
        }[];
        /** this server's clock, in unix ms, to set one's own by */
        readonly serverNow: number;
      };
      /** The request is malformed, or a field is wrong; `errors` names every one. */
      readonly 400: Problem;
      /** The token is missing, or is none of ours. */
      readonly 401: Problem;
      /** The request names another user than the token. */
      readonly 403: Problem;
      /** The request could not be answered. */
      readonly default: Problem;
    };
  };
  /** Releases what the shopper has frozen of one SKU. */
  readonly removeFromCart: {
    readonly method: "DELETE";
    readonly path: "/cart/{sku}";
    readonly params: {
      /** 1-128 characters, no control characters */
      readonly sku: string;
    };
    readonly query: {
      /** 1-128 characters, no control characters */
      readonly userID?: string;
    };
    readonly body: null;
    readonly replies: {
      /** What is left in the cart. */
      readonly 200: {
        /** 1-128 characters, no control characters */
        readonly userID: string;
        readonly items: readonly {
          /** 1-128 characters, no control characters */
          readonly goodsSKU: string;
          /** an integer from 1 to 1000000 */
          readonly goodsQuantity: number;
          /** a number from 0 to 10000000 with at most two decimals */
          readonly goodsPrice: number;
          /** when the hold ends, in unix ms */
          readonly expiresAt: number;
        }[];
        /** this server's clock, in unix ms, to set one's own by */
        readonly serverNow: number;
      };
      /** The request is malformed, or a field is wrong; `errors` names every one. */
      readonly 400: Problem;
      /** The token is missing, or is none of ours. */
      readonly 401: Problem;
      /** The request names another user than the token. */
      readonly 403: Problem;
      /** The request could not be answered. */
      readonly default: Problem;
    };
  };
  /** Makes one order of the shopper's holds, all or those named, with one payment deadline and the prices of this moment. */
  readonly placeOrder: {
    readonly method: "POST";
    readonly path: "/orders";
    readonly params: Readonly<Record<string, never>>;
    readonly query: Readonly<Record<string, never>>;
    readonly body: {
      /** 1-128 characters, no control characters */
      readonly userID?: string;
      /** an integer from 0 to 1000000 */
      readonly userLevel?: number;
      /** 1 to 100 SKUs */
      readonly goodsSKUs?: readonly string[];
      /** the name of a payment provider */
      readonly provider?: string;
    };
    readonly replies: {
      /** The order, and what its payment needs. */
      readonly 201: {
        /** 1-128 characters, no control characters */
        readonly orderID: string;
        /** 1-128 characters, no control characters */
        readonly userID: string;
        readonly items: readonly {
          /** 1-128 characters, no control characters */
          readonly goodsSKU: string;
          /** an integer from 1 to 1000000 */
          readonly goodsQuantity: number;
          /** a number from 0 to 10000000 with at most two decimals */
          readonly goodsPrice: number;
        }[];
        /** in whole currency units, with at most two decimals */
        readonly amount: number;
        /** ISO 4217, in lower case */
        readonly currency: string;
        readonly state: "payment-pending" | "paid" | "cancelled" | "expired" | "refund-due";
        /** when it was placed, in unix ms */
        readonly placedAt: number;
        /** the payment deadline, in unix ms */
        readonly payUntil: number;
        /** since when it has been in this state, in unix ms */
        readonly since: number;
        readonly paidWith: {
          readonly provider: string;
          readonly paymentID: string;
          /** in whole currency units, with at most two decimals */
          readonly amount: number;
          readonly currency: string;
        } | null;
        readonly payment: {
          readonly provider: string;
          readonly paymentID: string | null;
          /** for the provider's own script */
          readonly clientSecret?: string;
          /** where to send the shopper */
          readonly redirectUrl?: string;
        } | null;
      };
      /** The request is malformed, or a field is wrong; `errors` names every one. */
      readonly 400: Problem;
      /** The token is missing, or is none of ours. */
      readonly 401: Problem;
      /** The request names another user than the token. */
      readonly 403: Problem;
      /** `reason` says why nothing was ordered: empty-cart, no-hold (with `goodsSKUs`), too-many-items. With `Retry-After`: A request with this Idempotency-Key is on its way: ask again with the same key after `Retry-After`. */
      readonly 409: Problem;
      /** The body is longer than 16384 bytes. */
      readonly 413: Problem;
      /** The body is not declared as JSON. */
      readonly 415: Problem;
      /** This Idempotency-Key was used for another request. */
      readonly 422: Problem;
      /** The request could not be answered. */
      readonly default: Problem;
    };
  };
  /** The shopper's orders, newest first, or a page of them. */
  readonly orders: {
    readonly method: "GET";
    readonly path: "/orders";
    readonly params: Readonly<Record<string, never>>;
    readonly query: {
      /** 1-128 characters, no control characters */
      readonly userID?: string;
      /** 1-128 characters, no control characters */
      readonly after?: string;
      /** a number from 1 to 10000 */
      readonly limit?: number;
    };
    readonly body: null;
    readonly replies: {
      /** The orders. */
      readonly 200: readonly {
        /** 1-128 characters, no control characters */
        readonly orderID: string;
        /** 1-128 characters, no control characters */
        readonly userID: string;
        readonly items: readonly {
          /** 1-128 characters, no control characters */
          readonly goodsSKU: string;
          /** an integer from 1 to 1000000 */
          readonly goodsQuantity: number;
          /** a number from 0 to 10000000 with at most two decimals */
          readonly goodsPrice: number;
        }[];
        /** in whole currency units, with at most two decimals */
        readonly amount: number;
        /** ISO 4217, in lower case */
        readonly currency: string;
        readonly state: "payment-pending" | "paid" | "cancelled" | "expired" | "refund-due";
        /** when it was placed, in unix ms */
        readonly placedAt: number;
        /** the payment deadline, in unix ms */
        readonly payUntil: number;
        /** since when it has been in this state, in unix ms */
        readonly since: number;
        readonly paidWith: {
          readonly provider: string;
          readonly paymentID: string;
          /** in whole currency units, with at most two decimals */
          readonly amount: number;
          readonly currency: string;
        } | null;
      }[];
      /** The request is malformed, or a field is wrong; `errors` names every one. */
      readonly 400: Problem;
      /** The token is missing, or is none of ours. */
      readonly 401: Problem;
      /** The request names another user than the token. */
      readonly 403: Problem;
      /** The request could not be answered. */
      readonly default: Problem;
    };
  };
  /** One order of the shopper. */
  readonly order: {
    readonly method: "GET";
    readonly path: "/orders/{id}";
    readonly params: {
      /** 1-128 characters, no control characters */
      readonly id: string;
    };
    readonly query: {
      /** 1-128 characters, no control characters */
      readonly userID?: string;
    };
    readonly body: null;
    readonly replies: {
      /** The order. */
      readonly 200: {
        /** 1-128 characters, no control characters */
        readonly orderID: string;
        /** 1-128 characters, no control characters */
        readonly userID: string;
        readonly items: readonly {
          /** 1-128 characters, no control characters */
          readonly goodsSKU: string;
          /** an integer from 1 to 1000000 */
          readonly goodsQuantity: number;
          /** a number from 0 to 10000000 with at most two decimals */
          readonly goodsPrice: number;
        }[];
        /** in whole currency units, with at most two decimals */
        readonly amount: number;
        /** ISO 4217, in lower case */
        readonly currency: string;
        readonly state: "payment-pending" | "paid" | "cancelled" | "expired" | "refund-due";
        /** when it was placed, in unix ms */
        readonly placedAt: number;
        /** the payment deadline, in unix ms */
        readonly payUntil: number;
        /** since when it has been in this state, in unix ms */
        readonly since: number;
        readonly paidWith: {
          readonly provider: string;
          readonly paymentID: string;
          /** in whole currency units, with at most two decimals */
          readonly amount: number;
          readonly currency: string;
        } | null;
      };
      /** The request is malformed, or a field is wrong; `errors` names every one. */
      readonly 400: Problem;
      /** The token is missing, or is none of ours. */
      readonly 401: Problem;
      /** The request names another user than the token. */
      readonly 403: Problem;
      /** There is no such order. */
      readonly 404: Problem;
      /** The request could not be answered. */
      readonly default: Problem;
    };
  };
  /** Ends the shopper's unpaid order; its goods are free at that instant. */
  readonly cancelOrder: {
    readonly method: "POST";
    readonly path: "/orders/{id}/cancel";
    readonly params: {
      /** 1-128 characters, no control characters */
      readonly id: string;
    };
    readonly query: Readonly<Record<string, never>>;
    readonly body: {
      /** 1-128 characters, no control characters */
      readonly userID?: string;
    };
    readonly replies: {
      /** It is cancelled. */
      readonly 200: {
        /** 1-128 characters, no control characters */
        readonly orderID: string;
        /** 1-128 characters, no control characters */
        readonly userID: string;
        readonly items: readonly {
          /** 1-128 characters, no control characters */
          readonly goodsSKU: string;
          /** an integer from 1 to 1000000 */
          readonly goodsQuantity: number;
          /** a number from 0 to 10000000 with at most two decimals */
          readonly goodsPrice: number;
        }[];
        /** in whole currency units, with at most two decimals */
        readonly amount: number;
        /** ISO 4217, in lower case */
        readonly currency: string;
        readonly state: "payment-pending" | "paid" | "cancelled" | "expired" | "refund-due";
        /** when it was placed, in unix ms */
        readonly placedAt: number;
        /** the payment deadline, in unix ms */
        readonly payUntil: number;
        /** since when it has been in this state, in unix ms */
        readonly since: number;
        readonly paidWith: {
          readonly provider: string;
          readonly paymentID: string;
          /** in whole currency units, with at most two decimals */
          readonly amount: number;
          readonly currency: string;
        } | null;
      };
      /** The request is malformed, or a field is wrong; `errors` names every one. */
      readonly 400: Problem;
      /** The token is missing, or is none of ours. */
      readonly 401: Problem;
      /** The request names another user than the token. */
      readonly 403: Problem;
      /** There is no such order. */
      readonly 404: Problem;
      /** It had ended before; `state` and `order` say how. With `Retry-After`: A request with this Idempotency-Key is on its way: ask again with the same key after `Retry-After`. */
      readonly 409: Problem;
      /** The body is longer than 16384 bytes. */
      readonly 413: Problem;
      /** The body is not declared as JSON. */
      readonly 415: Problem;
      /** This Idempotency-Key was used for another request. */
      readonly 422: Problem;
      /** The request could not be answered. */
      readonly default: Problem;
    };
  };
  /** Starts the payment of an unpaid order, or gives what was started before. */
  readonly startPayment: {
    readonly method: "POST";
    readonly path: "/orders/{id}/payment";
    readonly params: {
      /** 1-128 characters, no control characters */
      readonly id: string;
    };
    readonly query: Readonly<Record<string, never>>;
    readonly body: {
      /** 1-128 characters, no control characters */
      readonly userID?: string;
      /** the name of a payment provider */
      readonly provider?: string;
    };
    readonly replies: {
      /** The order, and what its payment needs. */
      readonly 200: {
        /** 1-128 characters, no control characters */
        readonly orderID: string;
        /** 1-128 characters, no control characters */
        readonly userID: string;
        readonly items: readonly {
          /** 1-128 characters, no control characters */
          readonly goodsSKU: string;
          /** an integer from 1 to 1000000 */
          readonly goodsQuantity: number;
          /** a number from 0 to 10000000 with at most two decimals */
          readonly goodsPrice: number;
        }[];
        /** in whole currency units, with at most two decimals */
        readonly amount: number;
        /** ISO 4217, in lower case */
        readonly currency: string;
        readonly state: "payment-pending" | "paid" | "cancelled" | "expired" | "refund-due";
        /** when it was placed, in unix ms */
        readonly placedAt: number;
        /** the payment deadline, in unix ms */
        readonly payUntil: number;
        /** since when it has been in this state, in unix ms */
        readonly since: number;
        readonly paidWith: {
          readonly provider: string;
          readonly paymentID: string;
          /** in whole currency units, with at most two decimals */
          readonly amount: number;
          readonly currency: string;
        } | null;
        readonly payment: {
          readonly provider: string;
          readonly paymentID: string | null;
          /** for the provider's own script */
          readonly clientSecret?: string;
          /** where to send the shopper */
          readonly redirectUrl?: string;
        } | null;
      };
      /** The request is malformed, or a field is wrong; `errors` names every one. */
      readonly 400: Problem;
      /** The token is missing, or is none of ours. */
      readonly 401: Problem;
      /** The request names another user than the token. */
      readonly 403: Problem;
      /** There is no such order. */
      readonly 404: Problem;
      /** It had ended before; `state` and `order` say how. With `Retry-After`: A request with this Idempotency-Key is on its way: ask again with the same key after `Retry-After`. */
      readonly 409: Problem;
      /** The body is longer than 16384 bytes. */
      readonly 413: Problem;
      /** The body is not declared as JSON. */
      readonly 415: Problem;
      /** This Idempotency-Key was used for another request. */
      readonly 422: Problem;
      /** The request could not be answered. */
      readonly default: Problem;
    };
  };
  /** Where payment providers report; their signature over the raw body tells who they are. */
  readonly notifyPayment: {
    readonly method: "POST";
    readonly path: "/payments/{provider}";
    readonly params: {
      /** the name of a payment provider */
      readonly provider: string;
    };
    readonly query: Readonly<Record<string, never>>;
    readonly body: null;
    readonly replies: {
      /** It is dealt with, durably. */
      readonly 200: {
        readonly received: boolean;
      };
      /** The request is malformed, or a field is wrong; `errors` names every one. */
      readonly 400: Problem;
      /** There is no such payment provider here. */
      readonly 404: Problem;
      /** The body is longer than 16384 bytes. */
      readonly 413: Problem;
      /** The request could not be answered. */
      readonly default: Problem;
    };
  };
}

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** what is wrong and what to do next, for a person */
  readonly detail: string;
  readonly errors?: readonly {
    /** the wrong field: `#/goodsQuantity`, `#/path/qty`, `#/query/limit` */
    readonly pointer: string;
    readonly detail: string;
  }[];
}
