// What a training has learnt of one family of segments, as the program carries it: which numbers of a profile are
// compared, the groups as points among them, and what tells each group from everybody.

/** One number of a profile. `mean` and `scale` put it on the scale that points are on. */
export interface LearnedColumn {
  /** `interest:CATEGORY` or `feature:NAME`. */
  readonly name: string;
  readonly mean: number;
  readonly scale: number;
}

/** What tells a group from everybody: its mean of one number, and that of all. */
export interface Distinction {
  readonly column: string;
  readonly mean: number;
  readonly of_all: number;
}

export interface LearnedGroup {
  /** Stays with a group from one training to the next: the segment is `FAMILY_NUMBER`. */
  readonly number: number;
  /** Whoever is nearest to one of them, of all groups, and within `radius` belongs to the group. */
  readonly points: readonly (readonly number[])[];
  readonly radius?: number;
  /** Persons of the sample that it was learnt from. */
  readonly size: number;
  readonly distinctions: readonly Distinction[];
}

export interface LearnedFamily {
  /** The definition that it was learnt for; another one means other segments. */
  readonly key: string;
  /** Unix ms. */
  readonly trained_at: number;
  /** Persons of the sample. */
  readonly persons: number;
  readonly columns: readonly LearnedColumn[];
  readonly groups: readonly LearnedGroup[];
}

/** Families by name: the part `learned` of a stored program, which hosts write, never a user. */
export type LearnedDocument = Readonly<Record<string, LearnedFamily>>;

export function squaredDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = a[i]! - b[i]!;
    sum += difference * difference;
  }
  return sum;
}

/** Number of the group that a point (on the scale of the groups) belongs to; 0 for none. */
export function groupOf({ groups }: LearnedFamily, point: ArrayLike<number>): number {
  let best = 0;
  let least = Infinity;
  let radius = Infinity;
  for (const group of groups) {
    for (const centre of group.points) {
      const distance = squaredDistance(point, centre);
      if (distance >= least) continue;
      least = distance;
      best = group.number;
      radius = group.radius ?? Infinity;
    }
  }
  return least <= radius * radius ? best : 0;
}
