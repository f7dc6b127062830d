// What one must know of an experiment before reading any number.
import type { Experiment } from "../../api/types.ts";
import { Chip } from "../../parts/chip.tsx";

export function States({ experiment }: { experiment: Experiment }) {
  const { holdout, interleave, sample_ratio, variants } = experiment;
  const stopped = variants.filter((variant) => variant.stopped !== null);
  return (
    <>
      {holdout ? <Chip>holdout</Chip> : null}
      {interleave === null ? null : <Chip>interleaved</Chip>}
      {sample_ratio.ok ? null : <Chip tone="bad">sample ratio is off</Chip>}
      {stopped.map(({ name }) => (
        <Chip key={name} tone="warn">
          {`${name} stopped`}
        </Chip>
      ))}
    </>
  );
}
