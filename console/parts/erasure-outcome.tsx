// How far an erasure is, and its proof; the job's id leads to the address where both are found again.
import type { ErasureJob } from "../api/types.ts";
import { useConsole } from "../shell/context.ts";
import { Chip } from "./chip.tsx";

export function Outcome({ job }: { job: ErasureJob }) {
  const { links } = useConsole();
  const { proof } = job;
  return (
    <div class="spaced" role="status">
      <Chip tone={job.status === "done" ? "good" : undefined}>{job.status === "done" ? "erased, and proven" : "erasing …"}</Chip>
      <dl class="facts spaced">
        <dt>Job</dt>
        <dd>
          <a class="id" href={links.view(["privacy"], { job: job.job_id })}>
            {job.job_id}
          </a>
        </dd>
        {proof === undefined ? null : (
          <>
            <dt>Records erased</dt>
            <dd class="num">{proof.log.records_erased}</dd>
            <dt>Segments rewritten</dt>
            <dd class="num">{proof.log.segments_rewritten}</dd>
            <dt>Keys destroyed</dt>
            <dd>{proof.log.keys_destroyed ? "yes" : "no: the log is not encrypted"}</dd>
            <dt>Found afterwards</dt>
            <dd class="num">
              {proof.scan.records_found} of {proof.scan.records_read}
            </dd>
          </>
        )}
      </dl>
    </div>
  );
}
