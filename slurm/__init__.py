"""The same work on many nodes: a frozen plan, workers that take shards by lease, jobs through submitit.

    RUN/cluster/submissions/0001/   what one `turnwise submit` froze: options, profile, order of shards, jobs, logs
    RUN/cluster/code/<digest>/      the code its workers run
    RUN/cluster/inputs/<digest>/    prompts, strategy files and whatever else its options name
    RUN/cluster/claims/             who has which shard, and how each attempt at it ended
    RUN/cluster/heartbeats/         a file per worker that is touched while it lives
    RUN/cluster/events/             a log per worker: starts, stops, crashes
    RUN/cluster/ends/               a file per job that was told to end: whether it comes back

What is done is told by the files of the run alone, never by a job's state.
"""
