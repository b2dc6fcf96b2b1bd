// The server's time, by which deadlines run: in a demo it may run faster than ours.

const samples = [];
// Two readings that lie closer together tell more of the line than of the clock.
const APART = 3000;

/** Takes a reading: what the server's clock showed when it said so. */
export function serverSays(instant) {
  samples.push({ theirs: Date.parse(instant), ours: Date.now() });
  if (samples.length > 20) samples.splice(1, 1); // the first is kept, for the longest base
}

/** Milliseconds since 1970, by the server's clock. */
export function now() {
  const last = samples.at(-1);
  if (!last) return Date.now();
  return last.theirs + (Date.now() - last.ours) * rate();
}

/** How many of the server's seconds pass in one of ours. Jitter of a few per cent is no other speed. */
export function rate() {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || last.ours - first.ours < APART) return 1;
  const measured = (last.theirs - first.theirs) / (last.ours - first.ours);
  return Math.abs(measured - 1) < 0.05 ? 1 : Math.max(0, measured);
}

/** For another person nothing changes; for another server all does. */
export function forget() {
  samples.length = 0;
}

/** How long until then, in the two largest units: `2 d 4 h`, `3 h 12 min`, `4 min 09 s`; `-` before what is over. */
export function countdown(instant) {
  const left = Math.round((Date.parse(instant) - now()) / 1000);
  const late = left < 0 ? "−" : "";
  const seconds = Math.abs(left);
  const [days, hours, minutes] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
  if (days) return `${late}${days} d ${hours} h`;
  if (hours) return `${late}${hours} h ${two(minutes)} min`;
  return `${late}${minutes} min ${two(seconds % 60)} s`;
}

const two = (number) => String(number).padStart(2, "0");

// As the server's: engine/filter.py. A test holds the two together.
export const URGENT_WITHIN_HOURS = 6;
export const WARNING_WITHIN_HOURS = 24;

/** How near it is, seen from now. */
export function urgency(instant) {
  if (!instant) return "CALM";
  const hours = (Date.parse(instant) - now()) / 3600_000;
  if (hours <= 0) return "OVERDUE";
  if (hours <= URGENT_WITHIN_HOURS) return "URGENT";
  return hours <= WARNING_WITHIN_HOURS ? "WARNING" : "CALM";
}
