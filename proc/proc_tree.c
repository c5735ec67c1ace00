/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which processes belong together.
 *
 * All that descend from one program that the kernel started are a job, known by that
 * program's pid even when it has ended. Within it each process hangs from its nearest
 * ancestor that lives: who outlives its parent is taken over by the grandparent, so it
 * gets away from nobody by forking twice. (Waiting is another matter: only a parent waits.)
 *
 *   shell of job 3 --- 4 --- 5          4 ends:  3 --- 5
 *                       \--- 6                    \--- 6
 *
 * Owns: proc.job_pid, proc.ancestor, proc.in_tree.
 * Does not: end a process (proc_kill marks it).
 * Invariants:
 *   T1 an ancestor is in the table, alive, of the same job and older: it comes first there
 *   T2 who is killed becomes nobody's parent any more: what is not in the table when its
 *      tree is killed never will be
 * Yields: never.
 * Complexity: proc_kill_tree is linear in the number of processes.
 * See: proc.c, fork.c.
 */
#include "lib/assert.h"
#include "proc/proc_internal.h"

void
proc_tree_join(struct proc *p, struct proc *parent)
{
	KASSERT(parent == NULL || (parent->state != PROC_ZOMBIE && !parent->killed),
	    "T2: who is killed becomes nobody's parent");
	p->ancestor = parent;
	p->job_pid = parent != NULL ? parent->job_pid : p->pid;
}

void
proc_tree_leave(struct proc *p)
{
	struct proc *child;

	for (child = proc_next(p); child != NULL; child = proc_next(child))
		if (child->ancestor == p)
			child->ancestor = p->ancestor;
	p->ancestor = NULL;
}

int
proc_kill_tree(uint32_t pid, enum ebb_kill_reason reason)
{
	int error = ERR_NOENT;
	struct proc *p;

	for (p = proc_next(NULL); p != NULL; p = proc_next(p)) {
		p->in_tree = p->pid == pid || p->job_pid == pid ||
		    (p->ancestor != NULL && p->ancestor->in_tree); /* T1 */
		if (p->in_tree && proc_kill(p->pid, reason) == 0)
			error = 0;
	}
	return (error);
}
