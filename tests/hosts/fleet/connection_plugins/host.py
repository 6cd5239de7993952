"""Ansible's local connection, in the namespaces of a process: ansible_host is its number."""

import shlex

from ansible.plugins.connection.local import Connection as Local

DOCUMENTATION = """
name: host
short_description: run in the namespaces of a process
description: The local connection, by nsenter.
options: {}
extends_documentation_fragment: [connection_pipelining]
"""


class Connection(Local):
    """Files are put where both sides see them: into the folder of ansible_remote_tmp."""

    transport = "host"

    def exec_command(self, cmd, in_data=None, sudoable=True):
        entered = "nsenter -t %d -n -m -p -r -w sh -c %s" % (int(self._play_context.remote_addr), shlex.quote(cmd))
        return super().exec_command(entered, in_data=in_data, sudoable=sudoable)
