/** What lies in the slots of one run, or of what stays between runs: who frees which handle, and when. */
import { InternalError } from "@diptych/core";
import type { Device, Handle } from "./device.js";

export class SlotValues {
  readonly #device: Device;
  readonly #handles: (Handle | undefined)[];
  readonly #owned: boolean[];
  /** What was derived of a slot's handle, by key; lives as long. */
  readonly #derived = new Map<number, Map<string, Handle>>();
  readonly #base: SlotValues | undefined;

  /** `base`: values of an earlier run that are read here, and stay. */
  constructor(device: Device, slots: number, base?: SlotValues) {
    this.#device = device;
    this.#handles = new Array<Handle | undefined>(slots).fill(undefined);
    this.#owned = new Array<boolean>(slots).fill(false);
    this.#base = base;
  }

  /** Puts a handle in a slot; an owned one is freed with the slot. */
  set(slot: number, handle: Handle, owned: boolean): void {
    this.#handles[slot] = handle;
    this.#owned[slot] = owned;
  }

  get(slot: number): Handle {
    const handle = this.#handles[slot];
    if (handle) return handle;
    if (this.#base) return this.#base.get(slot);
    throw new InternalError(`backend-tfjs/run: slot ${slot} is empty.`);
  }

  /** Gives an owned handle away, and leaves the slot empty. */
  take(slot: number): Handle {
    const handle = this.get(slot);
    this.#handles[slot] = undefined;
    this.#freeDerived(slot);
    return handle;
  }

  /** What `make` makes, the first time; kept until the slot is freed. */
  derive(slot: number, key: string, make: () => Handle): Handle {
    if (!this.#handles[slot] && this.#base) return this.#base.derive(slot, key, make);
    const ofSlot = this.#derived.get(slot) ?? new Map<string, Handle>();
    this.#derived.set(slot, ofSlot);
    const made = ofSlot.get(key) ?? make();
    ofSlot.set(key, made);
    return made;
  }

  /** Whether an owned handle lies in the slot. */
  owns(slot: number): boolean {
    return this.#handles[slot] !== undefined && this.#owned[slot] === true;
  }

  free(slot: number): void {
    this.#freeDerived(slot);
    const handle = this.#handles[slot];
    if (handle && this.#owned[slot]) this.#device.free(handle);
    this.#handles[slot] = undefined;
  }

  freeAll(): void {
    for (let slot = 0; slot < this.#handles.length; slot++) this.free(slot);
  }

  #freeDerived(slot: number): void {
    const ofSlot = this.#derived.get(slot);
    if (!ofSlot) return;
    for (const handle of ofSlot.values()) this.#device.free(handle);
    this.#derived.delete(slot);
  }
}
