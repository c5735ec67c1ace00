/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of interrupt handlers.
 *
 * Owns: the table and the board's controller.
 * Does not: decide priorities among lines (the controller does).
 * Invariants:
 *   I1 a line is enabled only while it has a handler;
 *   I2 there is one controller, set before the first handler;
 *   I3 it has no more lines than the table.
 * Yields: never.
 * See: kern/irq.h.
 */
#include "kern/irq.h"

#include <stddef.h>
#include <string.h>

#include "kern/kern_params.h"
#include "kern/trace.h"
#include "lib/assert.h"

struct irq_handler {
	void (*fn)(void *arg);
	void *arg;
	const char *name;
};

static const struct irq_controller *controller;
static struct irq_handler handlers[IRQ_LINES_MAX];

void
irq_set_controller(const struct irq_controller *c)
{
	KASSERT(c->line_count <= IRQ_LINES_MAX, "I3: the table holds every line");
	controller = c;
	memset(handlers, 0, sizeof(handlers));
}

int
irq_register(uint32_t line, void (*handler)(void *arg), void *arg, const char *name)
{
	KASSERT(controller != NULL, "I2: a controller comes before its handlers");
	if (line >= controller->line_count)
		return (ERR_RANGE);
	if (handlers[line].fn != NULL)
		return (ERR_EXIST);
	handlers[line].fn = handler;
	handlers[line].arg = arg;
	handlers[line].name = name;
	controller->enable(line);
	return (0);
}

static void
handle(uint32_t line)
{
	KASSERT(line < IRQ_LINES_MAX, "I3: the table holds every line");
	trace(TRACE_IRQ, line, 0, 0);
	kern_params.irqs++;
	if (handlers[line].fn != NULL) {
		handlers[line].fn(handlers[line].arg);
		return;
	}
	kern_params.irq_stray++;
	controller->disable(line);
}

void
irq_dispatch(void)
{
	int line = controller->next();

	if (line < 0)
		kern_params.irq_spurious++;
	for (; line >= 0; line = controller->next()) {
		handle((uint32_t)line);
		controller->done((uint32_t)line);
	}
}
