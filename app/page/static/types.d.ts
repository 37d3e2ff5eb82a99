/* What the server sends to each part, and what the modules hand each other. For the type check alone; never served. */

export type Attribute = string | number | boolean | null | undefined;
export type Child = Node | string | null | undefined;
export type Listeners = { [Kind in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[Kind]) => void };
export type Attributes = { on?: Listeners } & { [name: string]: Attribute | Listeners };

export interface ListOptions<Entry, Item extends { node: Element }> {
  /** What tells entries apart. */
  key: (entry: Entry, index: number) => unknown;
  create: (entry: Entry) => Item;
  /** Runs for new items too. */
  update?: (item: Item, entry: Entry) => void;
  /** Where the items are kept, by key. */
  items?: Map<unknown, Item>;
}

export interface Observable<T> {
  readonly value: T;
  set(value: T): void;
  subscribe(subscriber: (value: T) => void): void;
}

/** What Gradio hands to a gr.HTML component's script. */
export interface Gradio<V extends Value = Value> {
  element: HTMLElement;
  props: { value?: V };
  trigger(event: string, data: object): void;
  watch(property: string, callback: () => void): void;
}

/** A value that the server sends. `run` numbers the runs of a session; an older run's values are dropped. */
export interface Value {
  run?: number;
}

/* ---- configuration ---- */

export interface Config {
  /** Where the page's address stands as a QR code; empty where nobody else can reach it. */
  address?: string;
  colours: { plain: string[]; signed: string[]; titles: Record<string, string>; tables: Record<string, string>; rule: BrightRule };
  methods: Record<string, MethodCard>;
  words: { scale: string; keys: string; summaries: Record<string, MethodCard>; glossary: [string, string][] };
  upload: { bytes: number; tooLarge: string; modelBytes: number; modelSuffixes: string; modelKinds: string; modelTooLarge: string };
}

/** The constants of the default colours. */
export interface BrightRule {
  tables: string[];
  chroma: number;
  brightness: number;
  cover: number;
  fadeFrom: number;
  fadeTo: number;
  hatchPeriod: number;
  hatchWidth: number;
  hatchCover: number;
  strongest: number;
}

export interface MethodCard {
  title: string;
  about: string;
  formula: string;
  source: string;
  asks: string;
  costs: string;
  fails: string;
  parameters: Parameter[];
}

export interface Parameter {
  name: string;
  help: string;
  default: string | number;
  options?: string[];
  low?: number;
  high?: number;
  step?: number;
}

/* ---- the view of the maps ---- */

export interface View {
  mode: string;
  opacity: number;
  strongest: number;
  colours: string;
  signedColours: string;
  seen: boolean;
  raw: boolean;
  contour: boolean;
  truth: boolean;
  peek: boolean;
}

export interface Point {
  x: number;
  y: number;
}

/** A map as it arrives: (h, w) codes 0..255. */
export interface Codes {
  h: number;
  w: number;
  codes: Uint8Array;
}

/** A map on the screen: (H, W) shares of the strongest value. */
export interface ShownMap {
  H: number;
  W: number;
  signed: boolean;
  codes: Codes;
  shares: Float32Array;
}

export interface Pictures {
  photo?: string;
  seen?: string;
  width?: number;
  height?: number;
}

export interface Panel {
  node: HTMLElement;
  stage: HTMLElement;
  about: HTMLElement;
  larger: HTMLElement;
  photo: HTMLImageElement;
  truth: HTMLImageElement;
  canvas: HTMLCanvasElement;
  halo: SVGPathElement;
  line: SVGPathElement;
  kind: HTMLElement;
  across: HTMLElement;
  down: HTMLElement;
  reading: HTMLElement;
  cover: HTMLElement;
  title: HTMLElement;
  family: HTMLElement;
  state: HTMLElement;
  time: HTMLElement;
  cost: HTMLElement;
  note: HTMLElement;
  more: HTMLElement;
  entry: PanelEntry;
  pictures: Pictures;
  codes: Codes | null;
  smooth: Codes | null;
  map: ShownMap | null;
  uri: string;
}

/* ---- values of the parts ---- */

export interface ForgetValue extends Value {
  /** That everything is deleted. */
  text?: string;
}

export interface PictureValue extends Value {
  error?: string;
  example?: string;
  examples?: Example[];
  visited?: Example[];
  truth?: string;
  notes?: string;
  page?: number;
  pages?: number;
}

export interface Example {
  id: string;
  title: string;
  thumb: string;
  current?: boolean;
}

/** A part of a sentence, and whether it stands out. */
export type Phrase = [string, boolean];

export interface GuessValue extends Value {
  guess?: { text: string; disagree: boolean } | null;
}

export interface VerdictValue extends Value {
  notes?: string;
  page?: number;
  pages?: number;
  /** The button that hides the place, where that did not run by itself. */
  offer?: { kind: string; text: string } | null;
  alt?: string;
  facts?: string;
  caption?: string;
  credit?: string;
  tag?: { tone: "good" | "bad" | "warn" | "unsure"; text: string } | null;
  sentence?: string;
  sure?: string;
  where?: Phrase[][];
}

export interface QuestionsValue extends Value {
  answers?: Record<string, { text: string; tone: string }>;
}

export interface SettingsValue extends Value {
  /** Whether a picture is explained. */
  explained?: boolean;
  /** What the page's address says of the answer. */
  link?: Record<string, string>;
  /** Preset -> about how long, in words. */
  seconds?: Record<string, string>;
}

export interface PredictionValue extends Value {
  classifier?: string;
  bars?: Bar[];
  note?: string;
  caution?: boolean;
  about?: string;
}

export interface Bar {
  index: number;
  label: string;
  share: string;
  size: number;
  description: string;
  explained: boolean;
  rather: boolean;
}

export interface StatusValue extends Value {
  state?: string;
  text?: string;
  spoken?: string;
  share?: number;
  error?: string;
}

export interface GridValue extends Value {
  picture?: Pictures;
  panels?: PanelEntry[];
  /** All maps in one sentence. */
  summary?: string;
  /** The class explained. */
  target?: string;
}

export interface PanelEntry {
  id: string;
  title: string;
  family: string;
  kindNote?: string;
  /** Whether it is made of all maps. */
  summary?: boolean;
  /** Whether its values are of single pixels. */
  fine?: boolean;
  /** The label of the button that shows the other summary. */
  switch?: string;
  /** What stands in place of a map. */
  cover?: string;
  state: string;
  word: string;
  wordHelp?: string;
  help: string;
  cost: string;
  costHelp?: string;
  time: string;
  note: string;
  alt: string;
  map: string;
  signed: boolean;
  final: boolean;
  version: number;
  parameters?: Record<string, string | number>;
  more?: Further | null;
}

/** The button that spends the evaluations that a map still needs. */
export interface Further {
  method: string;
  text: string;
}

export interface AgreementValue extends Value {
  methods?: { id: string; title: string }[];
  views?: [string, string][];
  hint?: string;
  lead?: string;
  rawLead?: string;
  sentence?: string;
  reading?: string;
  pairs?: Pair[];
  words?: string[];
  state?: string;
}

export interface Pair {
  a: string;
  b: string;
  cells: Record<string, Cell>;
  words: string;
}

export interface Cell {
  text: string;
  kind: string;
  colour: string;
  ink: string;
  aside?: string;
}

export interface EvidenceValue extends Value {
  lead?: string;
  lines?: Line[];
  buttons?: Offer[];
  running?: string;
  share?: number;
  progress?: string;
  error?: string;
}

export interface Line {
  id: string;
  title: string;
  state: string;
  chips: Chip[];
  more: Further | null;
}

export interface Chip {
  name: string;
  text: string;
  tone: string;
  detail: string[];
  lights?: { tone: string; name: string }[];
}

export interface Offer {
  kind: string;
  title: string;
  help: string;
  cost: string;
  ready: boolean;
  done: boolean;
}

/** Empty `curves` until deletion and insertion were measured; then everything is there. */
export interface CurvesValue extends Value {
  count: number;
  methods: { id: string; title: string; style: number; steps: string }[];
  fills: Record<string, string>;
  classes: { index: number; label: string; explained: boolean }[];
  curves: Record<string, CurveGroup>;
  note: string;
}

export interface CurveGroup {
  lines: Record<string, { area: string; bars: number[][]; values: number[] }>;
  low: number[];
  high: number[];
  randomArea: string;
  remark: string;
}

export interface RegionValue extends Value {
  lead?: string;
  sentence?: string;
  error?: string;
  read?: string;
  known?: boolean;
  outline?: string;
  columns?: string[];
  rows?: RegionRow[];
}

export interface RegionRow {
  title: string;
  baseline: boolean;
  cells: string[];
}

export interface InspectionValue extends Value {
  title?: string;
  lead?: string;
  hand?: string;
  text?: string;
  left?: string[];
  error?: string;
  labels?: string[];
  most?: number;
  state?: string;
  asked?: [number, number];
  report?: InspectionReport;
}

export interface InspectionReport {
  name: string;
  findings: Finding[];
  sure: string;
  candidates: Sheet | null;
  layers: (Sheet & { says: string }) | null;
  card: ProposedCard | null;
}

export interface Finding {
  level: string;
  word: string;
  about: string;
  says: string;
  known: string;
}

export interface Sheet {
  /** Label and help of each column. */
  columns: [string, string][];
  rows: string[][];
  /** What a row is marked as; mostly nothing. */
  marks: string[];
}

export interface ProposedCard {
  text: string;
  changes: string[];
  file: string;
  command: string;
}
