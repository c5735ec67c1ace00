/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The resident pages of an object, as a balanced tree by page index.
 *
 * A fault descends once: a lookup that misses leaves in the object where the page
 * would be linked, and the insert that usually follows starts there.
 *
 * Owns: tree links, object and pindex of every page with an identity; tree_root,
 *   resident_count and the miss_ fields of every object.
 * Does not: allocate, free, queue or busy pages.
 * Invariants:
 *   T1 a page has an object exactly while it is in that object's tree;
 *   T2 pindex is unique in an object; smaller ones lie left of larger ones;
 *   T3 resident_count is the number of pages in the tree;
 *   T4 while miss_valid, linking miss_pindex below miss_parent keeps T2.
 * Yields: never.
 * Complexity: O(log resident_count) each; next and prev O(1) amortised.
 * See: lib/rb32.h; mm/vm_page.h (Identity).
 */
#include "mm/vm_object.h"

/* One space for all objects; the shift is the size of struct vm_page. */
#define PAGE_SPACE (&(const struct rb32_space){ vm_page_array, 6 })
_Static_assert(sizeof(struct vm_page) == 1 << 6, "shift of the tree space");
_Static_assert(offsetof(struct vm_page, tree) == 0, "rb32 node comes first");

struct vm_page *
vm_page_lookup(struct vm_object *object, vm_pindex_t pindex)
{
	struct vm_page *m, *array = vm_page_array;
	uint32_t n = object->tree_root, parent = VM_PAGE_NONE;

	while (n != VM_PAGE_NONE) {
		m = &array[n];
		if (m->pindex == pindex)
			return (m);
		parent = n;
		n = m->tree.child[pindex > m->pindex];
	}
	object->miss_parent = parent;
	object->miss_pindex = pindex;
	object->miss_valid = true;
	return (NULL);
}

void
vm_page_insert(struct vm_page *m, struct vm_object *object, vm_pindex_t pindex)
{
	uint32_t parent;

	KASSERT(m->object == NULL, "T1: inserted page has no identity yet");
	KASSERT(pindex < object->size_pages, "T2: page lies inside its object");
	if (!object->miss_valid || object->miss_pindex != pindex) {
		m = vm_page_lookup(object, pindex) == NULL ? m : NULL;
		KASSERT(m != NULL, "T2: no other page has this index");
	}
	parent = object->miss_parent;
	object->miss_valid = false;
	m->object = object;
	m->pindex = pindex;
	rb32_insert(PAGE_SPACE, &object->tree_root, parent,
	    pindex > vm_page_array[parent].pindex, vm_page_number(m));
	object->resident_count++;
}

void
vm_page_remove(struct vm_page *m)
{
	struct vm_object *object = m->object;

	KASSERT(object != NULL, "T1: removed page has an identity");
	object->miss_valid = false;
	rb32_remove(PAGE_SPACE, &object->tree_root, vm_page_number(m));
	object->resident_count--;
	m->object = NULL;
	m->pindex = 0;
}

struct vm_page *
vm_page_next(struct vm_page *m)
{
	return (vm_page_of(rb32_step(PAGE_SPACE, vm_page_number(m), RB32_RIGHT)));
}

struct vm_page *
vm_page_prev(struct vm_page *m)
{
	return (vm_page_of(rb32_step(PAGE_SPACE, vm_page_number(m), RB32_LEFT)));
}

void
vm_page_neighbours(struct vm_object *object, vm_pindex_t pindex, struct vm_page **below,
    struct vm_page **above)
{
	struct vm_page *m;
	uint32_t n = object->tree_root;

	*below = *above = NULL;
	while (n != VM_PAGE_NONE) {
		m = &vm_page_array[n];
		if (m->pindex < pindex)
			*below = m;
		else if (m->pindex > pindex)
			*above = m;
		if (m->pindex == pindex)
			break;
		n = m->tree.child[pindex > m->pindex];
	}
	if (n == VM_PAGE_NONE)
		return;
	m = &vm_page_array[n];
	*below = vm_page_prev(m);
	*above = vm_page_next(m);
}

struct vm_page *
vm_page_find_least(struct vm_object *object, vm_pindex_t pindex)
{
	struct vm_page *m, *least = NULL;
	uint32_t n = object->tree_root;

	while (n != VM_PAGE_NONE) {
		m = &vm_page_array[n];
		if (m->pindex == pindex)
			return (m);
		if (m->pindex > pindex)
			least = m;
		n = m->tree.child[pindex > m->pindex];
	}
	return (least);
}
