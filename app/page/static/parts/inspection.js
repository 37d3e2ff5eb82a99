/** The inspection tab: the pictures to inspect a model with, and the report. Names come from untrusted files and stay text. */

import { mountPart, upload } from "../lib/channel.js";
import { button, icon, keyedList, make, setAttribute, setShown, setText, showError } from "../lib/dom.js";
import { config } from "../lib/view_state.js";

/** @import { Finding, Gradio, InspectionReport, InspectionValue, ProposedCard, Sheet } from "../types" */
/** @typedef {{ files: File[], label: string }} Group Pictures of one class that were added together. */

const PATIENCE = 5000; // ms until the button is enabled again after a lost answer
const MOST_LAYERS = 8; // rows of the folded table of layers
const FILES = { type: "file", multiple: true, accept: "image/*,.tif,.tiff", class: "cc-hidden", tabindex: "-1" };

/** @param {Gradio<InspectionValue>} gradio */
export const mount = (gradio) => {
  /** @type {InspectionValue} */
  let value = {};
  /** @type {Group[]} */
  let groups = [];
  let sending = "";
  let shownReport = "";
  let shownLabels = "";
  let overdue = 0;
  const lead = make("p");
  const hand = make("p", { class: "cc-facts" });
  const text = make("p", { class: "cc-verdict", role: "status", "aria-live": "polite" });
  const error = make("p", { class: "cc-error", role: "alert", hidden: true });
  const left = make("p", { class: "cc-facts" });
  const progress = { role: "progressbar", "aria-label": "The model is being examined" };
  const working = make("div", { class: "cc-working", hidden: true, ...progress });
  const asked = make("p", { class: "cc-facts", "data-part": "asked" });
  const results = make("div", { class: "cc-doctor", "data-part": "results" });
  const added = make("ul", { class: "cc-added", "aria-label": "Pictures that you added" });
  const input = make("input", { ...FILES, "aria-label": "Choose pictures to examine the model by", on: { change: () => add() } });
  const label = make("select", { id: "cc-doctor-label" });
  const examine = button("Examine", null, () => start(), { class: "cc-button cc-main", id: "cc-examine" });
  const stop = button("Stop examining", "close", () => gradio.trigger("halt", {}), { "data-part": "halt" });
  const addTitle = "Choose pictures of this class to examine the model by";
  const title = "Is the model itself in order?";
  const section = make(
    "section",
    { class: "cc-card cc-doctor", id: "cc-doctor-panel", role: "tabpanel", "aria-label": title, hidden: true },
    make("h2", {}, title),
    lead,
    make(
      "div",
      { class: "cc-row" },
      make("label", { class: "cc-field" }, make("span", {}, "Pictures that show"), label),
      button("Add", "upload", () => input.click(), { "data-part": "add", title: addTitle }),
      input,
    ),
    ...[added, hand],
    make("div", { class: "cc-row" }, examine, stop),
    ...[error, working, asked, text, left, results],
  );
  gradio.element.replaceChildren(section);

  const showGroups = keyedList(added, {
    key: (/** @type {Group} */ group) => group,
    create: (group) => {
      const remove = () => {
        groups = groups.filter((other) => other !== group);
        list();
        examine.focus();
      };
      const words = `${group.files.length} ${group.files.length === 1 ? "picture" : "pictures"}, ${group.label || "class unknown"}`;
      const attributes = { type: "button", class: "cc-chip", title: "Take these pictures out again" };
      return { node: make("li", {}, make("button", { ...attributes, on: { click: remove } }, words, icon("close"))) };
    },
  });
  const list = () => {
    setShown(hand, groups.length === 0);
    showGroups(groups);
  };
  const add = () => {
    const most = value.most ?? 0;
    const room = most - groups.reduce((sum, one) => sum + one.files.length, 0);
    const files = [...(input.files ?? [])];
    input.value = "";
    const large = files.find((file) => file.size > config.upload.bytes);
    if (large) {
      showError(error, `${large.name}: ${config.upload.tooLarge.replace("{size}", (large.size / 1e6).toFixed(1))}`);
      return;
    }
    const tooMany = `${most} pictures are the most; the first ${room} of these ${files.length} are taken.`;
    showError(error, files.length > room ? tooMany : "");
    if (Math.min(files.length, room)) groups.push({ files: files.slice(0, room), label: label.value });
    list();
  };
  const uploadPicture = async (/** @type {File} */ file) => {
    const answer = await upload("picture", file);
    if (answer.error) throw new Error(`${file.name}: ${answer.error}`);
    return answer.token;
  };
  const start = async () => {
    if (sending) return;
    sending = "pictures";
    showError(error, "");
    update();
    const pictures = [];
    try {
      for (const group of groups) {
        for (const file of group.files) pictures.push({ token: await uploadPicture(file), label: group.label });
      }
      gradio.trigger("examine", { pictures });
      sending = "asked";
      clearTimeout(overdue);
      overdue = setTimeout(() => {
        sending = "";
        update();
      }, PATIENCE);
    } catch (problem) {
      sending = "";
      const lost = "The pictures did not reach the page's server; check the connection and press Examine again.";
      showError(error, problem instanceof TypeError || !(problem instanceof Error) ? lost : problem.message);
      update();
    }
  };

  const update = () => {
    const running = value.state === "waiting" || value.state === "running";
    const busy = sending !== "" || running;
    setAttribute(examine, "disabled", busy ? "" : null);
    setShown(working, busy);
    setShown(stop, running);
    const [done, most] = value.asked ?? [0, 0];
    setText(asked, most ? `${done.toLocaleString("en")} of ${most.toLocaleString("en")} evaluations` : "");
    setAttribute(working, "aria-valuemax", most ? String(most) : null);
    setAttribute(working, "aria-valuenow", most ? String(done) : null);
  };
  mountPart(gradio, (next) => {
    if (next.title !== value.title) {
      groups = [];
      list();
    }
    value = next;
    if (sending === "asked") sending = "";
    setShown(section, Boolean(value.title));
    setText(lead, value.lead ?? "");
    setText(hand, value.hand ?? "");
    setText(text, value.text ?? "");
    setText(left, (value.left ?? []).join(" "));
    showError(error, value.error ?? "");
    const labels = JSON.stringify(value.labels ?? []);
    if (shownLabels !== labels) {
      shownLabels = labels; // a new list of classes starts with none chosen
      const options = (value.labels ?? []).map((name) => make("option", { value: name }, name));
      label.replaceChildren(make("option", { value: "" }, "I do not know what"), ...options);
    }
    const report = JSON.stringify(value.report ?? "");
    if (shownReport !== report) {
      shownReport = report;
      for (const link of results.querySelectorAll("a")) URL.revokeObjectURL(link.href);
      results.replaceChildren(...(value.report ? [createReport(value.report)] : []));
    }
    update();
    gradio.element.dataset.run = String(value.run ?? "");
    gradio.element.dataset.state = value.state ?? "";
  });
};

/** @param {InspectionReport} report */
const createReport = ({ name, findings, sure, candidates, layers, card }) => {
  const candidatesTitle = "The ways of preparing a picture, the best first";
  const layersTitle = "Layers that maps can be drawn from, the last first";
  return make(
    "section",
    { "aria-label": name },
    make("ul", { class: "cc-findings" }, ...findings.map(createFinding)),
    ...(candidates || sure ? [make("h3", {}, "How does it want its pictures?"), make("p", {}, sure)] : []),
    ...(candidates ? [createTable(candidatesTitle, candidates, true).box] : []),
    ...(card ? createCard(card) : []),
    ...(layers ? [make("h3", {}, "Which layers can be shown?"), make("p", { class: "cc-facts" }, layers.says)] : []),
    ...(layers ? createFoldedTable(layersTitle, layers, MOST_LAYERS) : []),
  );
};

/** @param {Finding} finding */
const createFinding = ({ level, word, about, says, known }) =>
  make(
    "li",
    { "data-level": level, "data-about": about },
    make("span", { class: "cc-level" }, word ? make("b", {}, word) : null, about),
    make("p", {}, says),
    make("p", { class: "cc-facts" }, `Known by: ${known}`),
  );

/**
 * @param {string} name
 * @param {Sheet} sheet
 * @param {boolean} showMarks whether a row's mark stands in its first cell
 */
const createTable = (name, { columns, rows, marks }, showMarks) => {
  const nodes = rows.map(([head, ...cells], i) => {
    const mark = showMarks && marks[i] ? make("small", {}, marks[i]) : null;
    const first = make("th", { scope: "row" }, head, mark);
    return make("tr", { "data-mark": marks[i] || null }, first, ...cells.map((cell) => make("td", {}, cell)));
  });
  const heads = columns.map(([label, help]) => make("th", { scope: "col", title: help || null }, label));
  const caption = make("caption", { class: "cc-hidden" }, name);
  const table = make("table", {}, caption, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...nodes));
  const box = make("div", { class: "cc-scroll cc-sheet", tabindex: "0", role: "region", "aria-label": name }, table);
  return { box, rows: nodes };
};

/**
 * A table folded to its first rows and the marked ones.
 * @param {string} name
 * @param {Sheet} sheet
 * @param {number} few
 */
const createFoldedTable = (name, sheet, few) => {
  const { box, rows } = createTable(name, sheet, false);
  if (rows.length <= few) return [box];
  rows.forEach((row, i) => setShown(row, i < few || Boolean(sheet.marks[i])));
  const all = button(`Show all ${rows.length}`, "more", () => {
    for (const row of rows) setShown(row, true);
    all.remove();
    box.focus();
  });
  return [box, make("div", {}, all)];
};

/** @param {ProposedCard} card */
const createCard = ({ text, changes, file, command }) => {
  const attributes = { tabindex: "0", role: "region", "aria-label": "The card that is proposed" };
  const body = make("pre", { class: "cc-cardtext", ...attributes }, text);
  const word = make("span", {}, "Copy");
  const write = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setText(word, "Copied");
    } catch {
      getSelection()?.selectAllChildren(body);
      setText(word, "Selected; press Ctrl+C");
    }
  };
  const copy = make("button", { type: "button", class: "cc-button", "data-part": "copy", on: { click: write } }, icon("paste"), word);
  const href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const link = make("a", { class: "cc-button", download: file, href, "data-part": "download" }, `Download ${file}`);
  const where = `This page writes nothing. Put the card beside the model as ${file}, or let `;
  return [
    make("h3", {}, "A card that says so"),
    ...changes.map((words) => make("p", { "data-change": "" }, words)),
    make("p", { class: "cc-facts" }, where, make("code", {}, command), " write it, and start the page again."),
    body,
    make("div", { class: "cc-row" }, copy, link),
  ];
};
