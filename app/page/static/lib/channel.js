/** Communication with the server: incoming values, outgoing events and files. */

/** @import { Gradio, Value } from "../types" */

const PATIENCE = 4000; // ms until an answer that has not started counts as lost
let sent = 0;
let overdue = 0;
let currentRun = 0;
let resync = () => {};

/**
 * Paints a part of the page now and whenever the server sends another value.
 * @template {Value} V
 * @param {Gradio<V>} gradio
 * @param {(value: V) => void} paint
 */
export const mountPart = (gradio, paint) => {
  let newest = 0;
  const run = () => {
    const value = gradio.props.value ?? /** @type {V} */ ({});
    const number = value.run ?? 0;
    if (number < newest) return; // a late value of an older run
    newest = number;
    try {
      paint(value);
    } catch (error) {
      console.error(error);
    }
  };
  gradio.watch("value", run);
  run();
};

/**
 * Sends an event that starts a run. It is numbered, because requests may overtake each other.
 * @param {Gradio<any>} gradio
 * @param {string} event
 * @param {object} data
 */
export const send = (gradio, event, data) => {
  gradio.trigger(event, { ...data, wish: ++sent });
  watchdog();
};

/**
 * Requests the newest state again where no answer starts in time: its stream was then closed as it opened.
 * @param {number} [attempts]
 */
export const watchdog = (attempts = 3) => {
  const before = currentRun;
  clearTimeout(overdue);
  overdue = setTimeout(() => {
    if (currentRun !== before || !attempts) return;
    resync();
    watchdog(attempts - 1);
  }, PATIENCE);
};

/**
 * @param {() => void} request how the newest state is requested again
 */
export const setResync = (request) => {
  resync = request;
};

/** @param {number} run the run whose answer the page shows */
export const setCurrentRun = (run) => {
  currentRun = run;
};

/** @type {string[]} */
const tokens = [];
const MAX_TOKENS = 100;

/** The tokens of the files that this page has sent: some may still wait on the server. They are returned once. */
export const takeTokens = () => tokens.splice(0);

/**
 * Sends a file's bytes, unchanged. The answer holds a token for the event that follows, or the server's refusal.
 * @param {"picture" | "model"} kind
 * @param {File} file
 * @returns {Promise<{ token: string, error?: string }>}
 */
export const upload = async (kind, file) => {
  const name = encodeURIComponent((file.name || kind).slice(-80));
  const response = await fetch(`crosscheck/${kind}?name=${name}`, { method: "POST", body: file });
  const answer = await response.json();
  if (answer.token) tokens.push(answer.token);
  if (tokens.length > MAX_TOKENS) tokens.shift();
  return answer;
};
