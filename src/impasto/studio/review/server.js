// Talking to impasto: questions may be many at once, changes go one after another in their order.

export class Gone extends Error {} // nobody answers any more
export class Refused extends Error { // impasto says no, and why
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

async function answer(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Gone("impasto does not answer");
  }
  if (response.ok) return response;
  let message = `${response.status} ${response.statusText}`;
  try {
    message = (await response.json()).error ?? message;
  } catch { /* a refusal without words */ }
  throw new Refused(message, response.status);
}

const query = (path, words) => `${path}?${new URLSearchParams(words)}`;

export async function ask(path, words = {}, signal = undefined) {
  return (await answer(query(path, words), { signal })).json();
}

export async function askPicture(path, words, signal) {
  return createImageBitmap(await (await answer(query(path, words), { signal })).blob());
}

let last = Promise.resolve();

// When all changes told so far are answered: what is asked after that heeds them.
export const settled = () => last;

export function tell(path, body = {}) {
  const headers = { "content-type": "application/json" };
  const options = { method: "POST", headers, body: JSON.stringify(body) };
  const told = last.then(async () => (await answer(path, options)).json());
  last = told.catch(() => undefined); // one that fails does not hold up the next
  return told;
}
