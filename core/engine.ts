// The core's door for hosts: one person's state, one record, and what came of it.
