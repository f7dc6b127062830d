// Asks before something changes for everybody.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface ConfirmProps {
  readonly title: string;
  readonly children: ComponentChildren;
  readonly action: string;
  /** What cannot be taken back does not look like a save. */
  readonly danger?: boolean;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

export function Confirm({ title, children, action, danger, onConfirm, onClose }: ConfirmProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="confirm" aria-label={title} onClose={onClose}>
      <h2>{title}</h2>
      <div class="soft">{children}</div>
      <div class="actions">
        <button type="button" class="btn" onClick={() => dialog.current?.close()}>
          Cancel
        </button>
        <button
          type="button"
          class={danger === true ? "btn danger" : "btn primary"}
          onClick={() => {
            onConfirm();
            dialog.current?.close();
          }}
        >
          {action}
        </button>
      </div>
    </dialog>
  );
}
