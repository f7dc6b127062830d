// What all slots of a project have learnt: a learner for each slot whose policy learns.
import type { CompiledBandit, CompiledProgram } from "../program/compiled.ts";
import { DirtyRows, type WholeTable } from "../wire/dirty-rows.ts";
import { rowTable } from "../wire/row-table.ts";
import {
  armOf,
  decodeLearner,
  emptyLearner,
  encodeLearner,
  rewardArm,
  showArm,
  type Learner,
  type RewardChange,
  type ShownChoice,
} from "./learner.ts";

export class SlotLearning {
  readonly table: WholeTable<string>;
  readonly #learners = new Map<string, Learner>();
  readonly #dirty = new DirtyRows<string>((slot) => {
    const learner = this.#learners.get(slot);
    return learner === undefined ? null : encodeLearner(learner);
  });

  constructor() {
    this.table = rowTable("learners", {
      rows: this.#dirty,
      load: (slot, bytes) => this.#learners.set(slot, decodeLearner(bytes)),
      keys: () => this.#learners.keys(),
    });
  }

  /**
   * Slots that learn no more are forgotten; one whose reward means something else starts anew. The variants of which
   * something was known and is not any more, by slot.
   */
  configure({ slots }: CompiledProgram): Map<string, Set<string>> {
    const gone = new Map<string, Set<string>>();
    for (const [name, { arms }] of [...this.#learners]) {
      if (slots.get(name)?.bandit == null) {
        this.#dirty.touch(name);
        this.#learners.delete(name);
        gone.set(name, new Set(arms.keys()));
      }
    }
    for (const [name, { bandit }] of slots) {
      if (bandit === null) continue;
      const { among } = bandit;
      const known = this.#learners.get(name);
      if (known?.rewardKey === bandit.reward.key) {
        this.#dirty.touch(name);
        const left = [...known.arms.keys()].filter((variant) => !among.includes(variant));
        for (const variant of left) known.arms.delete(variant);
        if (left.length > 0) gone.set(name, new Set(left));
        for (const variant of among) armOf(known, variant);
        continue;
      }
      this.#dirty.touch(name);
      const learner = emptyLearner(bandit.reward.key);
      for (const variant of among) armOf(learner, variant);
      if (known !== undefined) gone.set(name, new Set(known.arms.keys()));
      this.#learners.set(name, learner);
    }
    return gone;
  }

  /** Each learner's bytes, by slot. */
  *rows(): Generator<[slot: string, bytes: Uint8Array]> {
    for (const [slot, learner] of this.#learners) yield [slot, encodeLearner(learner)];
  }

  learnerOf(slot: string): Learner | undefined {
    return this.#learners.get(slot);
  }

  /** False where nothing is learnt of the variant. */
  shown(slot: string, choice: ShownChoice, bandit: CompiledBandit, when: Parameters<typeof showArm>[3]): boolean {
    const learner = this.#learnerOfArm(slot, choice);
    if (learner !== undefined) showArm(learner, choice, bandit, when);
    return learner !== undefined;
  }

  rewarded(slot: string, choice: ShownChoice, reward: RewardChange, bandit: CompiledBandit): void {
    if (reward.before === reward.after) return;
    const learner = this.#learnerOfArm(slot, choice);
    if (learner !== undefined) rewardArm(learner, choice, reward, bandit);
  }

  /**
   * The learner, to be changed; undefined where it has no arm for the variant. Decisions outlive the program that made
   * them: of a variant that has left it, a reward without the showing would be learnt, and speak for it when it comes back.
   */
  #learnerOfArm(slot: string, { variant }: ShownChoice): Learner | undefined {
    const learner = this.#learners.get(slot);
    if (learner === undefined || !learner.arms.has(variant)) return undefined;
    this.#dirty.touch(slot);
    return learner;
  }
}
