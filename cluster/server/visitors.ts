// Persons as an answer needs them: a copy of his own for each, brought to now with the core.
import { lookAgain } from "../../core/engine.ts";
import { newPerson, type PersonState } from "../../core/profile/person.ts";
import { profileView } from "../../core/profile/view.ts";
import type { PersonRef } from "../../core/record.ts";
import type { Visitor } from "../../server/hosting/answers.ts";
import type { ProfileAnswer } from "../../server/ports.ts";
import { personOf } from "../operator/key-state.ts";
import type { Learner } from "./learner.ts";
import type { People } from "./people.ts";

export interface FoundVisitor extends Visitor {
  /** He may be out of date or missing because a part of the cluster is away. */
  readonly isDegraded: boolean;
}

export interface VisitorsOptions {
  readonly people: People;
  readonly learner: Learner;
  /** Processing time, Unix ms. */
  readonly now: () => number;
}

export class Visitors {
  readonly #options: VisitorsOptions;

  constructor(options: VisitorsOptions) {
    this.#options = options;
  }

  async find(ref: PersonRef): Promise<FoundVisitor> {
    const { people, learner, now } = this.#options;
    const { key, profile, isDegraded } = await people.find(ref);
    if (profile === undefined || profile.signpost !== undefined) return { ref, key, person: undefined, isDegraded };
    const person = personOf(profile.person, profile.programVersion, learner.programs);
    person.consent = people.saidNow(key) ?? person.consent;
    lookAgain(person, now(), learner.programs);
    return { ref, key, person, isDegraded };
  }

  /** Somebody of whom nothing but his key is known. */
  nobody(key: string): PersonState {
    return newPerson(key, this.#options.learner.program.plan);
  }

  view(person: PersonState, isDegraded: boolean): ProfileAnswer {
    const { learner, now } = this.#options;
    const view = profileView(person, learner.program.plan, now());
    return isDegraded ? { ...view, degraded: true } : view;
  }
}
