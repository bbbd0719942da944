/**
 * A pickle machine that builds plain data only: numbers, strings, arrays, maps, and what its host makes of the globals
 * it allows. It imports nothing and runs nothing (the format: CPython's Lib/pickletools.py). Memory is bounded by the
 * pickle's length and by counts of what it builds; nothing here recurses, so depth is no matter.
 */
import type { CheckpointError } from "@diptych/core";
import { PickleCursor } from "./cursor.js";

/** What a pickle may refer to outside of itself. Everything not allowed is refused by name. */
export interface PickleHost {
  /** What stands for `module.name` in the result. @throws CheckpointError when it is not allowed. */
  findGlobal(module: string, name: string): unknown;
  /** The result of calling what `findGlobal` gave. @throws CheckpointError when it cannot be called so. */
  reduce(callable: unknown, args: readonly unknown[]): unknown;
  /** A new object of a class that `findGlobal` gave. */
  create(type: unknown, args: readonly unknown[]): unknown;
  /** Gives an object its state. */
  build(object: unknown, state: unknown): void;
  persistentLoad(id: unknown): unknown;
}

export interface Unpickled {
  readonly value: unknown;
  /** Position after the pickle. */
  readonly end: number;
}

// A tensor takes about ten objects and twelve remembered values; no public checkpoint has more than 10,000 tensors.
const MAX_OBJECTS = 250_000;
const MAX_STACK = 1_000_000;
const MAX_MEMO = 500_000;
const MARK = Symbol("mark");

/** State of the machine. */
interface Machine {
  readonly cursor: PickleCursor;
  readonly host: PickleHost;
  readonly stack: unknown[];
  readonly memo: Map<number, unknown>;
  objects: number;
  done: boolean;
}

/**
 * Reads one pickle from `begin`.
 *
 * @throws CheckpointError on a damaged or oversized pickle, and on anything that `host` does not allow.
 */
export function unpickle(
  path: string,
  bytes: Uint8Array,
  { host, begin = 0 }: { readonly host: PickleHost; readonly begin?: number },
): Unpickled {
  const cursor = new PickleCursor(path, bytes, begin);
  const machine: Machine = {
    cursor,
    host,
    stack: [],
    memo: new Map(),
    objects: 0,
    done: false,
  };
  while (!machine.done) {
    const at = cursor.position;
    const code = cursor.uint8();
    const step = OPCODES[code];
    if (!step) throw cursor.damaged(`opcode 0x${code.toString(16).padStart(2, "0")} at ${at}`);
    step(machine);
    if (machine.stack.length > MAX_STACK) throw tooMuch(cursor, "values", MAX_STACK);
  }
  const value = pop(machine);
  if (machine.stack.length > 0) throw cursor.damaged("values left over at its end");
  return { value, end: cursor.position };
}

function tooMuch(cursor: PickleCursor, what: string, most: number): CheckpointError {
  return cursor.damaged(`more than ${most} ${what}`);
}

/** Counts what takes memory of its own. */
function made<T>(machine: Machine, object: T): T {
  if (++machine.objects > MAX_OBJECTS) throw tooMuch(machine.cursor, "objects", MAX_OBJECTS);
  return object;
}

function pop({ stack, cursor }: Machine): unknown {
  if (stack.length === 0 || stack[stack.length - 1] === MARK)
    throw cursor.damaged(`nothing to take at ${cursor.position}`);
  return stack.pop();
}

function top({ stack, cursor }: Machine): unknown {
  const value = stack.at(-1);
  if (stack.length === 0 || value === MARK)
    throw cursor.damaged(`nothing to take at ${cursor.position}`);
  return value;
}

/** The values above the last mark, which is removed. */
function popToMark({ stack, cursor }: Machine): unknown[] {
  const mark = stack.lastIndexOf(MARK);
  if (mark < 0) throw cursor.damaged(`no mark at ${cursor.position}`);
  const values = stack.splice(mark + 1);
  stack.pop();
  return values;
}

function popTuple(machine: Machine, size: number): unknown[] {
  const values = Array.from({ length: size }, () => pop(machine));
  return made(machine, values.reverse());
}

function list(machine: Machine, value: unknown): unknown[] {
  if (Array.isArray(value)) return value as unknown[];
  throw machine.cursor.damaged("items for something that is no list");
}

function dict(machine: Machine, value: unknown): Map<unknown, unknown> {
  if (value instanceof Map) return value as Map<unknown, unknown>;
  throw machine.cursor.damaged("keys for something that is no dict");
}

function string(machine: Machine, value: unknown): string {
  if (typeof value === "string") return value;
  throw machine.cursor.damaged("a name that is no string");
}

function setPairs(machine: Machine, target: Map<unknown, unknown>, pairs: unknown[]): void {
  if (pairs.length % 2 !== 0) throw machine.cursor.damaged("a key without a value");
  for (let i = 0; i < pairs.length; i += 2) {
    target.set(pairs[i], pairs[i + 1]);
    made(machine, undefined);
  }
}

function remember(machine: Machine, index: number): void {
  const { memo, cursor } = machine;
  memo.set(index, top(machine));
  if (memo.size > MAX_MEMO) throw tooMuch(cursor, "remembered values", MAX_MEMO);
}

function recall({ memo, stack, cursor }: Machine, index: number): void {
  if (!memo.has(index)) throw cursor.damaged(`value ${index}, which was not remembered`);
  stack.push(memo.get(index));
}

const push =
  (read: (machine: Machine) => unknown) =>
  (machine: Machine): void => {
    machine.stack.push(read(machine));
  };

function loadGlobal(machine: Machine): unknown {
  const module = machine.cursor.line();
  return made(machine, machine.host.findGlobal(module, machine.cursor.line()));
}

function loadStackGlobal(machine: Machine): unknown {
  const name = string(machine, pop(machine));
  return made(machine, machine.host.findGlobal(string(machine, pop(machine)), name));
}

function reduce(machine: Machine): unknown {
  const args = list(machine, pop(machine));
  return made(machine, machine.host.reduce(pop(machine), args));
}

function create(machine: Machine): unknown {
  const args = list(machine, pop(machine));
  return made(machine, machine.host.create(pop(machine), args));
}

/** Protocol 2, which PyTorch writes, and what later protocols add. Opcodes of protocol 0 and of extensions are unknown here. */
const OPCODES: Readonly<Record<number, (machine: Machine) => void>> = {
  0x80: ({ cursor }) => {
    const protocol = cursor.uint8();
    if (protocol > 5) throw cursor.damaged(`protocol ${protocol}`);
  },
  0x95: ({ cursor }) => void cursor.uint64(),
  0x2e: (machine) => {
    machine.done = true;
  },
  0x28: ({ stack }) => void stack.push(MARK),
  0x30: (machine) => void pop(machine),
  0x31: (machine) => void popToMark(machine),
  0x32: push(top),
  0x4e: push(() => null),
  0x88: push(() => true),
  0x89: push(() => false),
  0x4a: push(({ cursor }) => cursor.int32()),
  0x4b: push(({ cursor }) => cursor.uint8()),
  0x4d: push(({ cursor }) => cursor.uint16()),
  0x8a: push(({ cursor }) => cursor.integer(cursor.uint8())),
  0x8b: push(({ cursor }) => cursor.integer(cursor.uint32())),
  0x47: push(({ cursor }) => cursor.float64()),
  0x58: push(({ cursor }) => cursor.utf8(cursor.uint32())),
  0x8c: push(({ cursor }) => cursor.utf8(cursor.uint8())),
  0x8d: push(({ cursor }) => cursor.utf8(cursor.uint64())),
  0x54: push(({ cursor }) => cursor.utf8(cursor.uint32())),
  0x55: push(({ cursor }) => cursor.utf8(cursor.uint8())),
  0x42: push((machine) => made(machine, machine.cursor.bytes(machine.cursor.uint32()))),
  0x43: push((machine) => made(machine, machine.cursor.bytes(machine.cursor.uint8()))),
  0x8e: push((machine) => made(machine, machine.cursor.bytes(machine.cursor.uint64()))),
  0x5d: push((machine) => made(machine, [])),
  0x29: push((machine) => made(machine, [])),
  0x7d: push((machine) => made(machine, new Map())),
  0x8f: push((machine) => made(machine, [])),
  0x6c: push((machine) => made(machine, popToMark(machine))),
  0x74: push((machine) => made(machine, popToMark(machine))),
  0x91: push((machine) => made(machine, popToMark(machine))),
  0x85: push((machine) => popTuple(machine, 1)),
  0x86: push((machine) => popTuple(machine, 2)),
  0x87: push((machine) => popTuple(machine, 3)),
  0x64: push((machine) => {
    const pairs = popToMark(machine);
    const target = made(machine, new Map<unknown, unknown>());
    setPairs(machine, target, pairs);
    return target;
  }),
  0x61: (machine) => {
    const value = pop(machine);
    list(machine, top(machine)).push(value);
  },
  0x65: (machine) => {
    const values = popToMark(machine);
    const target = list(machine, top(machine));
    for (const value of values) target.push(value);
  },
  0x90: (machine) => {
    const values = popToMark(machine);
    const target = list(machine, top(machine));
    for (const value of values) target.push(value);
  },
  0x73: (machine) => {
    const pair = popTuple(machine, 2);
    setPairs(machine, dict(machine, top(machine)), pair);
  },
  0x75: (machine) => {
    const pairs = popToMark(machine);
    setPairs(machine, dict(machine, top(machine)), pairs);
  },
  0x71: (machine) => remember(machine, machine.cursor.uint8()),
  0x72: (machine) => remember(machine, machine.cursor.uint32()),
  0x94: (machine) => remember(machine, machine.memo.size),
  0x68: (machine) => recall(machine, machine.cursor.uint8()),
  0x6a: (machine) => recall(machine, machine.cursor.uint32()),
  0x63: push(loadGlobal),
  0x93: push(loadStackGlobal),
  0x52: push(reduce),
  0x81: push(create),
  0x62: (machine) => {
    const state = pop(machine);
    machine.host.build(top(machine), state);
  },
  0x51: push((machine) => made(machine, machine.host.persistentLoad(pop(machine)))),
};
