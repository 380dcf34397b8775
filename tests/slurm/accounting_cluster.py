"""A virtual cluster that keeps accounts: slurmdbd and a MariaDB of its own beside it.

apt-get install --no-install-recommends slurmdbd slurm-wlm-mysql-plugin mariadb-server
"""

import secrets
import shutil
import subprocess

from virtual_cluster import PROGRAMS, SEARCHED, VirtualCluster, end_process, free_ports, user_name, wait_for

ACCOUNTING_PROGRAMS = ("slurmdbd", "mariadbd", "mariadb-install-db", "mariadb", "sacct", "sacctmgr")

_ACCOUNTED = """\
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={port}
AccountingStoragePass={folder}/munge/socket
AccountingStorageEnforce=associations,limits
AccountingStorageTRES=gres/gpu"""

_DATABASE_DAEMON = """\
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
DbdHost={host}
DbdAddr=127.0.0.1
DbdPort={port}
SlurmUser={user}
PidFile={folder}/run/slurmdbd.pid
LogFile={folder}/log/slurmdbd.log
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={database_port}
StorageUser=slurm
StoragePass={password}
StorageLoc=accounts
"""


def missing_accounting_programs() -> list[str]:
    """Return what is not installed here."""
    return [name for name in (*PROGRAMS, *ACCOUNTING_PROGRAMS) if shutil.which(name, path=SEARCHED) is None]


class AccountingCluster(VirtualCluster):
    """Its user may have ``submit_jobs`` jobs at a time; SLURM counts their cores and GPUs."""

    def __init__(self, *, submit_jobs: int) -> None:
        super().__init__()
        self._submit_jobs = submit_jobs
        self._port = free_ports(2)
        self._password = secrets.token_hex(8)
        self._database: subprocess.Popen[bytes] | None = None
        self.configuration = self.configuration.replace(
            "AccountingStorageType=accounting_storage/none", _ACCOUNTED.format(port=self._port, folder=self.folder)
        )

    def start_controller(self) -> None:
        """Start what keeps the accounts, then slurmctld."""
        if self._database is None:
            self._start_database()
            self._start_accounts()
        super().start_controller()

    def stop(self) -> None:
        """End the daemons of accounting after those of the cluster."""
        accounts = self.pid("slurmdbd.pid")
        super().stop()
        end_process(accounts, seconds=10)
        if self._database is not None:
            self._database.kill()
            self._database.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start_database(self) -> None:
        data, socket = self.folder / "db", self.folder / "run" / "db.socket"
        user = f"--user={user_name()}"
        install = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", user, "--skip-test-db"]
        self.run(*install, "--auth-root-authentication-method=normal")
        command = [str(shutil.which("mariadbd", path=SEARCHED)), "--no-defaults", f"--datadir={data}", user]
        command += [f"--socket={socket}", "--bind-address=127.0.0.1", f"--port={self._port + 1}"]
        command += ["--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=0"]
        with (self.folder / "log" / "mariadbd.log").open("wb") as log:
            self._database = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        client = ["mariadb", "--no-defaults", f"--socket={socket}", "--user=root", "-e"]
        wait_for(lambda: self._works(*client, "select 1"), 60, "the database")
        self.run(*client, f"grant all on *.* to slurm@'%' identified by '{self._password}'")

    def _start_accounts(self) -> None:
        path = self.folder / "etc" / "slurmdbd.conf"
        path.write_text(
            _DATABASE_DAEMON.format(
                folder=self.folder,
                host=self.host,
                port=self._port,
                user=user_name(),
                database_port=self._port + 1,
                password=self._password,
            )
        )
        path.chmod(0o600)
        self._start("slurmdbd")
        manage = ("sacctmgr", "-i", "add")
        wait_for(lambda: self._works(*manage, "cluster", "virtual"), 60, "the accounts")
        self.run(*manage, "account", "lab", "cluster=virtual")
        self.run(*manage, "user", user_name(), "account=lab", "cluster=virtual")
        limit = f"MaxSubmitJobs={self._submit_jobs}"
        self.run("sacctmgr", "-i", "modify", "user", user_name(), "set", limit)  # of every account it has

    def _works(self, *command: str) -> bool:
        done = subprocess.run(command, env=self.environment, capture_output=True, check=False)
        return done.returncode == 0
