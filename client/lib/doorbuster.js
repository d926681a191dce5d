// client/requests.ts
class DoorbusterFailure extends Error {
  idempotencyKey;
  status;
  body;
  name = "DoorbusterFailure";
  constructor(message, idempotencyKey, status, body = {}, cause) {
    super(message, { cause });
    this.idempotencyKey = idempotencyKey;
    this.status = status;
    this.body = body;
  }
}
var BACKOFF_MS = 200;
var BACKOFF_MS_MAX = 5000;

class Requests {
  #settings;
  #surroundings;
  #root;
  constructor(settings, surroundings) {
    this.#settings = settings;
    this.#surroundings = surroundings;
    this.#root = settings.url.replace(/\/+$/, "");
  }
  async send(request) {
    const attemptsMax = request.attemptsMax ?? this.#settings.attemptsMax;
    for (let attempt = 1;; attempt += 1) {
      const reply = await this.#attempt(request);
      const isAnswer = !(reply instanceof Error) && !asksToComeBack(reply);
      if (isAnswer)
        return reply;
      if (attempt >= attemptsMax)
        return lastOf(reply, request.key ?? null);
      await this.#surroundings.wait(this.#pauseMs(attempt, reply));
    }
  }
  async#attempt({ method, path, body, key, headers }) {
    const { token, language, attemptMsMax } = this.#settings;
    try {
      const bearer = token && await token();
      const reply = await this.#surroundings.fetch(`${this.#root}${path}`, {
        method,
        headers: {
          ...body && { "content-type": "application/json" },
          ...key !== undefined && { "idempotency-key": key },
          ...bearer && { authorization: `Bearer ${bearer}` },
          ...language && { "accept-language": language },
          ...headers
        },
        ...body && { body: JSON.stringify(body) },
        cache: "no-store",
        signal: AbortSignal.timeout(attemptMsMax)
      });
      return readReply(reply, await reply.text());
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }
  #pauseMs(attempt, reply) {
    const asked = reply instanceof Error ? null : reply.retryAfterMs;
    return (asked ?? 0) + Math.min(BACKOFF_MS_MAX, BACKOFF_MS * 2 ** attempt) * this.#surroundings.random();
  }
}
var asksToComeBack = ({ status, retryAfterMs }) => status === 429 || status >= 500 || status === 409 && retryAfterMs !== null;
function lastOf(reply, key) {
  if (reply instanceof Error)
    throw new DoorbusterFailure(`no answer: ${reply.message}`, key, null, {}, reply);
  if (reply.status === 429)
    return reply;
  throw new DoorbusterFailure(`the answer was ${reply.status}`, key, reply.status, reply.body);
}
function readReply({ status, headers }, text) {
  const seconds = numberIn(headers.get("retry-after"));
  return {
    status,
    etag: headers.get("etag"),
    serverNow: numberIn(headers.get("server-now")),
    retryAfterMs: seconds === null ? null : seconds * 1000,
    body: text === "" ? {} : jsonOf(status, text)
  };
}
function numberIn(header) {
  const number = Number(header ?? Number.NaN);
  return Number.isFinite(number) ? number : null;
}
function jsonOf(status, text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (status >= 400)
      return {};
    throw error;
  }
}

// client/board-feed.ts
var WAYS = ["socket", "stream", "poll"];
var POLL_MS = 3000;
var POLLS_BEFORE_PUSH = 20;
var PAUSE_MS = 500;
var PAUSE_MS_MAX = 15000;
var FIRST_WORD_MS_MAX = 1e4;
var ASK_SPREAD_MS = 2000;

class BoardFeed {
  #url;
  #requests;
  #surroundings;
  #onChange;
  #stopping = new AbortController;
  #sales = null;
  #offsetMs = 0;
  #via = "socket";
  #isAsking = false;
  constructor(url, requests, surroundings, onChange) {
    this.#url = `${url.replace(/\/+$/, "")}/live`;
    this.#requests = requests;
    this.#surroundings = surroundings;
    this.#onChange = onChange;
    this.#follow();
  }
  stop() {
    this.#stopping.abort();
  }
  async#follow() {
    let way = 0;
    let failures = 0;
    while (!this.#isStopped()) {
      const via = WAYS[way];
      this.#via = via;
      if (via === "poll") {
        await this.#pollForAWhile();
        way = 0;
        continue;
      }
      const hasWorked = await this.#listen(via);
      if (this.#isStopped())
        return;
      failures = hasWorked ? 0 : failures + 1;
      if (!hasWorked)
        way += 1;
      const pauseMs = Math.min(PAUSE_MS_MAX, PAUSE_MS * 2 ** failures);
      await this.#surroundings.wait(pauseMs * (0.5 + this.#surroundings.random()), this.#stopping.signal);
    }
  }
  async#listen(via) {
    const ended = Promise.withResolvers();
    let hasWorked = false;
    const onText = (text) => {
      hasWorked = true;
      this.#take(JSON.parse(text));
    };
    const open = via === "socket" ? this.#surroundings.openSocket : this.#surroundings.openStream;
    const address = via === "socket" ? this.#url.replace(/^http/, "ws") : this.#url;
    const channel = open(address, { onText, onEnd: ended.resolve });
    if (channel === null)
      return false;
    const close = () => {
      channel.close();
      ended.resolve();
    };
    this.#stopping.signal.addEventListener("abort", close);
    this.#surroundings.wait(FIRST_WORD_MS_MAX, this.#stopping.signal).then(() => hasWorked ? undefined : close());
    await ended.promise;
    this.#stopping.signal.removeEventListener("abort", close);
    return hasWorked;
  }
  async#pollForAWhile() {
    for (let polls = 0;polls < POLLS_BEFORE_PUSH && !this.#isStopped(); polls += 1) {
      if (!this.#surroundings.page?.hidden)
        await this.#ask();
      await this.#surroundings.wait(POLL_MS * (0.5 + this.#surroundings.random()), this.#stopping.signal);
    }
  }
  #take(message) {
    if (message.kind === "board")
      this.#show(message.board);
    else {
      this.#setClock(message.serverNow);
      if (message.kind === "ask")
        this.#askSpread();
      else if (this.#sales)
        this.#tell(withLeft(this.#sales, message.left));
    }
  }
  async#askSpread() {
    if (this.#isAsking)
      return;
    this.#isAsking = true;
    await this.#surroundings.wait(ASK_SPREAD_MS * this.#surroundings.random(), this.#stopping.signal);
    this.#isAsking = false;
    if (!this.#isStopped())
      await this.#ask();
  }
  async#ask() {
    try {
      const { status, body } = await this.#requests.send({ method: "GET", path: "/sales", attemptsMax: 1 });
      if (status === 200)
        this.#show(body);
    } catch (error) {
      if (!(error instanceof DoorbusterFailure))
        throw error;
    }
  }
  #show({ serverNow, sales }) {
    this.#setClock(serverNow);
    this.#tell(sales);
  }
  #setClock(serverNow) {
    this.#offsetMs = serverNow - this.#surroundings.now();
  }
  #tell(sales) {
    this.#sales = sales;
    const serverNow = () => this.#surroundings.now() + this.#offsetMs;
    if (!this.#isStopped())
      this.#onChange({ sales, serverNow, via: this.#via });
  }
  #isStopped() {
    return this.#stopping.signal.aborted;
  }
}
function withLeft(sales, left) {
  return sales.map((sale) => {
    const news = ownOf(left, sale.id);
    if (!news)
      return sale;
    return { ...sale, items: sale.items.map((item) => ({ ...item, availability: ownOf(news, item.goodsSKU) ?? item.availability })) };
  });
}
var ownOf = (of, name) => Object.hasOwn(of, name) ? of[name] : undefined;

// client/live.ts
var NEAR_MS = 1000;
var FAR_MS = 60000;
var ON_SALE_MS = 2000;
var SPREAD_MS = 1000;

class LiveSale {
  #path;
  #requests;
  #surroundings;
  #onChange;
  #stopping = new AbortController;
  #sale = null;
  #etag = null;
  #offsetMs = 0;
  #failures = 0;
  #pollAt = 0;
  constructor(id, requests, surroundings, onChange) {
    this.#path = `/sales/${encodeURIComponent(id)}`;
    this.#requests = requests;
    this.#surroundings = surroundings;
    this.#onChange = onChange;
    this.#follow();
  }
  stop() {
    this.#stopping.abort();
  }
  async#follow() {
    while (!this.#isStopped()) {
      await this.#untilSeen();
      if (this.#isStopped())
        return;
      await this.#poll();
      await this.#waitForNextPoll();
    }
  }
  #isStopped() {
    return this.#stopping.signal.aborted;
  }
  #serverNow = () => this.#surroundings.now() + this.#offsetMs;
  #show() {
    const status = this.#sale ? statusAt(this.#sale, this.#serverNow()) : "unknown";
    if (!this.#isStopped())
      this.#onChange({ sale: this.#sale, status, serverNow: this.#serverNow });
    if (status === "ended" || status === "unknown")
      this.stop();
  }
  async#poll() {
    const askedAt = this.#surroundings.now();
    const headers = this.#etag === null ? {} : { "if-none-match": this.#etag };
    try {
      const { status, etag, serverNow, body } = await this.#requests.send({ method: "GET", path: this.#path, headers, attemptsMax: 1 });
      this.#failures = 0;
      if (status === 200) {
        this.#sale = body;
        this.#etag = etag;
        this.#setClock(this.#sale.serverNow, askedAt);
        this.#show();
      } else if (status === 404) {
        this.#sale = null;
        this.#show();
      } else if (status !== 304)
        this.#failures += 1;
      else if (serverNow !== null)
        this.#setClock(serverNow, askedAt);
    } catch (error) {
      if (!(error instanceof DoorbusterFailure))
        throw error;
      this.#failures += 1;
    }
    this.#pollAt = this.#serverNow() + pollAfterMs(this.#sale, this.#serverNow(), this.#failures, this.#surroundings.random());
  }
  #setClock(serverNow, askedAt) {
    this.#offsetMs = serverNow - (askedAt + this.#surroundings.now()) / 2;
  }
  async#waitForNextPoll() {
    while (!this.#isStopped()) {
      const now = this.#serverNow();
      const boundary = this.#sale ? boundaryAfter(this.#sale, now) : Number.POSITIVE_INFINITY;
      if (boundary > this.#pollAt)
        return this.#surroundings.wait(Math.max(0, this.#pollAt - now), this.#stopping.signal);
      await this.#surroundings.wait(boundary - now, this.#stopping.signal);
      if (this.#isStopped() || this.#serverNow() < boundary)
        continue;
      this.#pollAt = this.#serverNow() + SPREAD_MS * this.#surroundings.random();
      this.#show();
    }
  }
  async#untilSeen() {
    const { page } = this.#surroundings;
    if (!page?.hidden)
      return;
    await new Promise((resolve) => {
      const look = () => {
        if (page.hidden && !this.#isStopped())
          return;
        page.removeEventListener("visibilitychange", look);
        this.#stopping.signal.removeEventListener("abort", look);
        resolve();
      };
      page.addEventListener("visibilitychange", look);
      this.#stopping.signal.addEventListener("abort", look);
    });
  }
}
function statusAt(sale, now) {
  if (now >= Date.parse(sale.endsAt))
    return "ended";
  return sale.status === "scheduled" && now >= Date.parse(sale.startsAt) ? "live" : sale.status;
}
function boundaryAfter(sale, now) {
  return [Date.parse(sale.startsAt), Date.parse(sale.endsAt)].find((at) => at > now) ?? Number.POSITIVE_INFINITY;
}
function pollAfterMs(sale, now, failures, random) {
  const startsAt = sale ? Date.parse(sale.startsAt) : now;
  const base = now < startsAt ? Math.min(FAR_MS, Math.max(NEAR_MS, (startsAt - now) / 10)) : ON_SALE_MS;
  return Math.min(FAR_MS, base * 2 ** failures) * (0.5 + random);
}

// client/surroundings.ts
function ownSurroundings() {
  return {
    fetch: (url, request) => fetch(url, request),
    now: () => Date.now(),
    random: () => Math.random(),
    wait,
    newKey: () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join(""),
    openSocket,
    openStream,
    page: globalThis.document ?? null
  };
}
function wait(ms, signal) {
  return new Promise((resolve) => {
    if (signal?.aborted)
      return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done);
  });
}
var opened = (name) => {
  return (url, { onText, onEnd }) => {
    const Source = globalThis[name];
    if (!Source)
      return null;
    const source = new Source(url);
    source.addEventListener("message", ({ data }) => onText(String(data)));
    const end = () => {
      source.close();
      onEnd();
    };
    source.addEventListener("error", end);
    source.addEventListener("close", end);
    return source;
  };
};
var openSocket = opened("WebSocket");
var openStream = opened("EventSource");

// client/doorbuster.ts
class Doorbuster {
  #url;
  #requests;
  #surroundings;
  #who;
  #clientIp;
  constructor(options) {
    const { url, token, userID, userLevel, language, attemptsMax = 5, attemptMsMax = 1e4 } = options;
    this.#surroundings = { ...ownSurroundings(), ...options.fetch && { fetch: options.fetch }, ...options.surroundings };
    this.#who = { ...userID !== undefined && { userID }, ...userLevel !== undefined && { userLevel } };
    this.#clientIp = options.clientIP;
    this.#url = url;
    this.#requests = new Requests({
      url,
      token: token === undefined ? null : typeof token === "string" ? () => token : token,
      language: language ?? null,
      attemptsMax,
      attemptMsMax
    }, this.#surroundings);
  }
  async buy(wish) {
    const body = {
      ...this.#who,
      ...this.#clientIp !== undefined && { clientIP: this.#clientIp },
      goodsSKU: wish.sku,
      goodsQuantity: wish.quantity ?? 1
    };
    const reply = await this.#post("/buy", body, wish);
    const { repResult } = reply.body;
    return repResult === true ? { ok: true, value: reply.body } : refusedBy(reply);
  }
  cart() {
    return this.#get(`/cart${this.#query()}`);
  }
  removeFromCart(sku) {
    return this.#ask({ method: "DELETE", path: `/cart/${encodeURIComponent(sku)}${this.#query()}` });
  }
  async placeOrder(wish = {}) {
    const body = {
      ...this.#who,
      ...wish.skus && { goodsSKUs: wish.skus },
      ...wish.provider !== undefined && { provider: wish.provider }
    };
    return answerOf(await this.#post("/orders", body, wish));
  }
  order(orderID) {
    return this.#get(`/orders/${encodeURIComponent(orderID)}${this.#query()}`);
  }
  orders(page = {}) {
    return this.#get(`/orders${this.#query(page)}`);
  }
  async startPayment(orderID, wish = {}) {
    const body = {
      ...this.#named(),
      ...wish.provider !== undefined && { provider: wish.provider }
    };
    return answerOf(await this.#post(`/orders/${encodeURIComponent(orderID)}/payment`, body, wish));
  }
  async cancelOrder(orderID, again = {}) {
    return answerOf(await this.#post(`/orders/${encodeURIComponent(orderID)}/cancel`, this.#named(), again));
  }
  sales() {
    return this.#get("/sales");
  }
  sale(id) {
    return this.#get(`/sales/${encodeURIComponent(id)}`);
  }
  live(id, onChange) {
    return new LiveSale(id, this.#requests, this.#surroundings, onChange);
  }
  watch(onChange) {
    return new BoardFeed(this.#url, this.#requests, this.#surroundings, onChange);
  }
  #named() {
    const { userID } = this.#who;
    return userID === undefined ? {} : { userID };
  }
  #query(more = {}) {
    const fields = Object.entries({ ...this.#named(), ...more });
    return fields.length === 0 ? "" : `?${fields.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&")}`;
  }
  #post(path, body, { idempotencyKey }) {
    return this.#requests.send({ method: "POST", path, body, key: idempotencyKey ?? this.#surroundings.newKey() });
  }
  #get(path) {
    return this.#ask({ method: "GET", path });
  }
  async#ask(request) {
    return answerOf(await this.#requests.send(request));
  }
}
function answerOf(reply) {
  return reply.status < 300 ? { ok: true, value: reply.body } : refusedBy(reply);
}
function refusedBy({ status, body }) {
  const { reason, reponseMsg, detail, title, opensAt } = body;
  return {
    ok: false,
    status,
    reason: String(reason ?? title ?? "refused").toLowerCase().replaceAll(" ", "-"),
    message: String(reponseMsg ?? detail ?? ""),
    ...typeof opensAt === "number" && { opensAt },
    body
  };
}
export {
  Doorbuster,
  DoorbusterFailure
};
