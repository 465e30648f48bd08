// Changes on their way to the server: sent one after the other, repeated until each has an answer, and
// kept in the browser's storage meanwhile, so that neither a lost connection nor a closed tab loses one.
// Each has an id of its own: sent twice, it counts once. Nothing is sent before the server has said that it is this
// session's, and only an answer that names session and change settles that change: anything else that answers at
// this address (another session, a proxy) makes it wait.

const LATE = 5000; // ms after which a change is no longer what the rater is doing just now
const WAITS = [500, 1000, 2000, 4000, 8000];

export class Queue {
  // settled(entry, answer): the server took it (answer.state), another tab's change stands (answer.conflict), or
  // the server refused it for good (answer.refused).
  // status(text, kind): what to show; kind is "saved", "saving" or "failed".
  constructor({ place, key, session, settled, status }) {
    Object.assign(this, { place, key, session, settled, status, entries: [], sending: false, failures: 0, refused: new Map() });
    this.prefix = `rating:${place}:`;
    this.damaged = 0;
    for (const name of stored().filter((name) => name.startsWith(this.prefix))) {
      const entry = parsed(localStorage.getItem(name));
      if (!sound(entry) || name !== this.prefix + entry.change) this.damaged++; // it stays there, and is not sent
      else this.entries.push({ ...entry, order: entry.order ?? 0, late: true, known: false });
    }
    this.entries.sort((one, other) => one.order - other.order);
    addEventListener("online", () => this.hurry());
    addEventListener("beforeunload", (event) => { if (this.entries.length) event.preventDefault(); });
  }

  get busy() { return this.entries.length > 0; }
  waiting(number) { return this.entries.some((entry) => entry.number === number); }

  add(path, number, body, before) {
    const entry = { change: id(), path, number, body, before, order: this.next(), made: performance.now(), late: false, known: true };
    this.entries.push(entry);
    try { localStorage.setItem(this.prefix + entry.change, JSON.stringify(entry)); } catch { /* a full or closed store: it is still sent */ }
    this.send();
  }

  // Counts on over reloads and tabs: a clock may be set back.
  next() {
    const name = `rating-count:${this.place}`;
    const counts = this.entries.map((entry) => entry.order);
    try { counts.push(Number(localStorage.getItem(name))); } catch { /* a closed store */ }
    const order = Math.max(0, ...counts.filter((count) => Number.isSafeInteger(count) && count < 2 ** 52)) + 1;
    try { localStorage.setItem(name, order); } catch { /* a full or closed store */ }
    return order;
  }

  // Takes back the last change that has not been sent yet, and returns it.
  withdraw() {
    const last = this.entries.at(-1);
    if (!last || last === this.current || last.path === "undo" || !last.known) return null;
    this.drop(last);
    return last;
  }

  hurry() { clearTimeout(this.timer); this.send(); }

  drop(entry) {
    this.entries = this.entries.filter((one) => one !== entry);
    try { localStorage.removeItem(this.prefix + entry.change); } catch { /* a closed store */ }
  }

  async send() {
    if (this.sending) return;
    this.sending = true;
    clearTimeout(this.timer);
    let known = false;
    while (this.entries.length) {
      const entry = this.current = this.entries[0];
      if (!this.failures) this.status("Saving …", "saving");
      const problem = (!known && (await this.stranger())) || (await this.post(entry));
      known = true;
      this.current = null;
      if (problem) {
        for (const one of this.entries) one.late = true;
        this.status(`Not saved: ${problem}. ${this.entries.length} waiting, trying again …`, "failed");
        this.timer = setTimeout(() => this.send(), WAITS[Math.min(this.failures++, WAITS.length - 1)]);
        this.sending = false;
        return;
      }
      this.failures = 0;
    }
    this.report();
    this.sending = false;
  }

  // Says that all is saved, or what the server refused; an item stays named until it is rated again.
  report() {
    const [first] = this.refused;
    if (!first) return this.status("Saved", "saved");
    const which = [...this.refused.keys()].join(", ");
    this.status(`Not accepted: ${which}. ${first[1]}`, "failed");
  }

  // Returns what is wrong if what answers here is not this session.
  async stranger() {
    try {
      const response = await fetch(`${this.place}/session`, { redirect: "error", signal: AbortSignal.timeout(15000) });
      const answer = await read(response);
      return answer?.session === this.session ? "" : unknown(response);
    } catch (error) { return unreached(error); }
  }

  // Returns what went wrong, or nothing if the entry has its answer.
  async post(entry) {
    if (performance.now() - entry.made > LATE) entry.late = true;
    let response;
    try {
      response = await fetch(`${this.place}/${entry.path}`, {
        method: "POST",
        redirect: "error",
        headers: { "Content-Type": "application/json", "X-Rating-Key": this.key },
        body: JSON.stringify({ ...entry.body, change: entry.change }),
        signal: AbortSignal.timeout(15000),
      });
      if (response.status >= 500) return problemOf(response);
      const answer = await read(response);
      if (answer?.session !== this.session || answer.change !== entry.change) return unknown(response);
      const which = entry.number ? `item ${entry.number}` : "undo";
      if (typeof answer.refused === "string") {
        this.drop(entry);
        this.refused.set(which, answer.refused);
        this.settled(entry, answer);
        return "";
      }
      if (!response.ok && response.status !== 409) return unknown(response);
      if (response.status === 409 && !entry.late) {
        // Given just now, in sight of an older state: the last one counts.
        entry.body.revision = answer.state.revision;
        this.settled(entry, { overtaken: answer.state });
        return this.post(entry);
      }
      this.drop(entry);
      this.refused.delete(which);
      if (response.ok && answer.number !== null) {
        for (const one of this.entries) if (one.number === answer.number && one.body.revision !== undefined) one.body.revision = answer.state.revision;
      }
      this.settled(entry, response.ok ? answer : { ...answer, conflict: true });
      return "";
    } catch (error) { return unreached(error); }
  }
}

function stored() { try { return Object.keys(localStorage); } catch { return []; } }

function parsed(text) { try { return JSON.parse(text); } catch { return null; } }

// Whether an entry of the storage is one that a page wrote.
function sound(entry) {
  const { change, path, number, body, order } = entry ?? {};
  if (typeof change !== "string" || body === null || typeof body !== "object" || Array.isArray(body)) return false;
  if (order !== undefined && !Number.isSafeInteger(order)) return false;
  return path === "undo" ? number === null : Number.isSafeInteger(number) && number > 0 && path === `items/${number}`;
}

// Returns the JSON of an answer, or null where it holds none.
async function read(response) {
  return parsed(await response.text());
}

function unknown(response) { return `what answers here (${response.status}) is not this rating session`; }

async function problemOf(response) {
  const plain = response.headers.get("content-type")?.startsWith("text/plain");
  return plain ? (await response.text()).slice(0, 120).replace(/\.$/, "") : `the server answered ${response.status}`;
}

function unreached(error) {
  if (error instanceof TypeError || error.name === "TimeoutError" || error.name === "AbortError") return "the server cannot be reached";
  throw error;
}

function id() {
  // randomUUID is there in secure contexts only: on this machine or behind TLS.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
