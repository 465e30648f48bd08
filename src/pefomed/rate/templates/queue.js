// Changes on their way to the server: sent one after the other, repeated until each has an answer, and
// kept in the browser's storage meanwhile, so that neither a lost connection nor a closed tab loses one.
// Each has an id of its own: sent twice, it counts once.

const LATE = 5000; // ms after which a change is no longer what the rater is doing just now
const WAITS = [500, 1000, 2000, 4000, 8000];

export class Queue {
  // settled(entry, answer): the server took it (answer.state), or another tab's change stands (answer.conflict).
  // status(text, kind): what to show; kind is "saved", "saving" or "failed".
  constructor({ place, key, settled, status }) {
    Object.assign(this, { place, key, settled, status, entries: [], sending: false, failures: 0 });
    this.prefix = `rating:${place}:`;
    for (const name of Object.keys(localStorage).filter((name) => name.startsWith(this.prefix))) {
      const entry = JSON.parse(localStorage.getItem(name));
      this.entries.push({ ...entry, late: true, known: false });
    }
    this.entries.sort((one, other) => one.made - other.made);
    addEventListener("online", () => this.hurry());
    addEventListener("beforeunload", (event) => { if (this.entries.length) event.preventDefault(); });
  }

  get busy() { return this.entries.length > 0; }
  waiting(number) { return this.entries.some((entry) => entry.number === number); }

  add(path, number, body, before) {
    const entry = { change: id(), path, number, body, before, made: Date.now(), late: false, known: true };
    this.entries.push(entry);
    try { localStorage.setItem(this.prefix + entry.change, JSON.stringify(entry)); } catch { /* a full or closed store: it is still sent */ }
    this.send();
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
    localStorage.removeItem(this.prefix + entry.change);
  }

  async send() {
    if (this.sending) return;
    this.sending = true;
    clearTimeout(this.timer);
    while (this.entries.length) {
      const entry = this.current = this.entries[0];
      if (!this.failures) this.status("Saving …", "saving");
      let problem = await this.post(entry);
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
    this.status("Saved", "saved");
    this.sending = false;
  }

  // Returns what went wrong, or nothing if the entry has its answer.
  async post(entry) {
    if (Date.now() - entry.made > LATE) entry.late = true;
    let response;
    try {
      response = await fetch(`${this.place}/${entry.path}`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Rating-Key": this.key },
        body: JSON.stringify({ ...entry.body, change: entry.change }),
        signal: AbortSignal.timeout(15000),
      });
      if (response.status >= 500) return (await response.text()).slice(0, 120).replace(/\.$/, "");
      if (!response.ok && response.status !== 409) {
        // It would be refused again, too.
        const reason = await response.text();
        this.drop(entry);
        this.settled(entry, { refused: reason });
        return "";
      }
      const answer = await response.json();
      if (response.status === 409 && !entry.late) {
        // Given just now, in sight of an older state: the last one counts.
        entry.body.revision = answer.state.revision;
        this.settled(entry, { overtaken: answer.state });
        return this.post(entry);
      }
      this.drop(entry);
      if (response.ok && answer.number !== null) {
        for (const one of this.entries) if (one.number === answer.number && one.body.revision !== undefined) one.body.revision = answer.state.revision;
      }
      this.settled(entry, response.ok ? answer : { ...answer, conflict: true });
      return "";
    } catch (error) {
      if (error instanceof TypeError || error.name === "TimeoutError" || error.name === "AbortError" || error instanceof SyntaxError) return "the server cannot be reached";
      throw error;
    }
  }
}

function id() {
  // randomUUID is there in secure contexts only: on this machine or behind TLS.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
