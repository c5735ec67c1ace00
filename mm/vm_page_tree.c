/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The resident pages of an object, as a balanced tree by page index.
 *
 * A fault descends once: a lookup that misses leaves in the object where the page
 * would be linked and which pages lie around it, and the insert that usually follows
 * starts there. Behind the last page there is no descent at all.
 *
 * Owns: tree links, object and pindex of every page with an identity; tree_root,
 *   resident_count, last and the miss_ fields of every object.
 * Does not: allocate, free, queue or busy pages.
 * Invariants:
 *   T1 a page has an object exactly while it is in that object's tree;
 *   T2 pindex is unique in an object; smaller ones lie left of larger ones;
 *   T3 resident_count is the number of pages in the tree;
 *   T4 while miss_valid, linking miss_pindex below miss_parent keeps T2, and
 *      miss_below and miss_above are the pages around it;
 *   T5 last is the page with the largest index.
 * Yields: never.
 * Complexity: O(log resident_count) each; next and prev O(1) amortised.
 * See: lib/rb32.h; mm/vm_page.h (Identity).
 */
#include "mm/vm_object.h"

_Static_assert(sizeof(struct vm_page) == 1 << RB32_SHIFT, "size of a tree's element");
_Static_assert(offsetof(struct vm_page, tree) == 0, "rb32 node comes first");

static inline void
note_miss(struct vm_object *object, vm_pindex_t pindex, uint32_t parent, uint32_t below,
    uint32_t above)
{
	object->miss_parent = parent;
	object->miss_below = below;
	object->miss_above = above;
	object->miss_pindex = pindex;
	object->miss_valid = true;
}

struct vm_page *
vm_page_lookup(struct vm_object *object, vm_pindex_t pindex)
{
	struct vm_page *m, *array = vm_page_array;
	uint32_t n = object->tree_root, parent = object->last;
	uint32_t below = VM_PAGE_NONE, above = VM_PAGE_NONE;

	/* Memory is mostly touched in ascending order at first. */
	if (parent == VM_PAGE_NONE || pindex > array[parent].pindex) {
		note_miss(object, pindex, parent, parent, VM_PAGE_NONE);
		return (NULL);
	}
	while (n != VM_PAGE_NONE) {
		m = &array[n];
		if (m->pindex == pindex)
			return (m);
		parent = n;
		if (pindex > m->pindex) {
			below = n;
			n = m->tree.child[RB32_RIGHT];
		} else {
			above = n;
			n = m->tree.child[RB32_LEFT];
		}
	}
	note_miss(object, pindex, parent, below, above);
	return (NULL);
}

/*
 * n has gone in below miss_above, and is not the last page: a window of pages goes in one after
 * the other, so note where the next index belongs. Of two neighbours in order one has
 * no child on the other's side.
 */
static inline void
note_next(struct vm_object *object, uint32_t n, vm_pindex_t pindex)
{
	const struct vm_page *array = vm_page_array;
	uint32_t above = object->miss_above;

	object->miss_valid = false;
	if (above != VM_PAGE_NONE && array[above].pindex != pindex + 1)
		note_miss(object, pindex + 1,
		    array[n].tree.child[RB32_RIGHT] == VM_PAGE_NONE ? n : above, n, above);
}

void
vm_page_insert(struct vm_page *m, struct vm_object *object, vm_pindex_t pindex)
{
	struct vm_page *there = NULL;
	uint32_t n = vm_page_number(m);

	KASSERT(m->object == NULL, "T1: inserted page has no identity yet");
	KASSERT(pindex < object->size_pages, "T2: page lies inside its object");
	if (!object->miss_valid || object->miss_pindex != pindex)
		there = vm_page_lookup(object, pindex);
	KASSERT(there == NULL, "T2: no other page has this index");
	m->object = object;
	m->pindex = pindex;
	if (object->miss_above == VM_PAGE_NONE)
		object->last = n;
	rb32_insert(vm_page_array, &object->tree_root, object->miss_parent,
	    object->miss_parent == object->miss_below ? RB32_RIGHT : RB32_LEFT, n);
	object->resident_count++;
	note_next(object, n, pindex);
}

void
vm_page_remove(struct vm_page *m)
{
	struct vm_object *object = m->object;
	uint32_t n = vm_page_number(m);

	KASSERT(object != NULL, "T1: removed page has an identity");
	object->miss_valid = false;
	if (object->last == n)
		object->last = rb32_step(vm_page_array, n, RB32_LEFT);
	rb32_remove(vm_page_array, &object->tree_root, n);
	object->resident_count--;
	m->object = NULL;
	m->pindex = 0;
}

void
vm_page_rename(struct vm_page *m, struct vm_object *object, vm_pindex_t pindex)
{
	KASSERT(!vm_page_busied(m), "T1: only its owner changes what a busy page is");
	vm_page_remove(m);
	vm_page_insert(m, object, pindex);
}

struct vm_page *
vm_page_next(struct vm_page *m)
{
	return (vm_page_of(rb32_step(vm_page_array, vm_page_number(m), RB32_RIGHT)));
}

struct vm_page *
vm_page_prev(struct vm_page *m)
{
	return (vm_page_of(rb32_step(vm_page_array, vm_page_number(m), RB32_LEFT)));
}

void
vm_page_neighbours(struct vm_object *object, vm_pindex_t pindex, struct vm_page **below,
    struct vm_page **above)
{
	struct vm_page *m = NULL;

	if (!object->miss_valid || object->miss_pindex != pindex)
		m = vm_page_lookup(object, pindex);
	*below = m != NULL ? vm_page_prev(m) : vm_page_of(object->miss_below);
	*above = m != NULL ? vm_page_next(m) : vm_page_of(object->miss_above);
}

struct vm_page *
vm_page_find_least(struct vm_object *object, vm_pindex_t pindex)
{
	struct vm_page *m = vm_page_lookup(object, pindex);

	return (m != NULL ? m : vm_page_of(object->miss_above));
}
