# SPDX-License-Identifier: BSD-2-Clause
#
# Commands for ebb in OpenOCD: load, start, halt and reset a board, and look at the
# kernel's memory while it runs. `ebb` lists them.
#
# Kernel memory is read through the MEM-AP bcm2837.ap, past the cores, so nothing
# stops. It does not see what lies dirty in a core's cache: on a board values may be
# old, or of different moments. `ebb through core` reads through the halted core 0
# instead, which sees its cache (it must have stopped in the kernel: EL1).
#
# Addresses lack the upper 25 bits, which are all ones in the kernel's half; those of
# the direct map are physical addresses then (arch/arm64/kva.h). What lies where comes
# from build/BOARD/ebb-symbols.tcl, made by `make debug-symbols`.

if {![info exists EBB_AP]} { set EBB_AP bcm2837.ap }
if {![info exists EBB_CORE]} { set EBB_CORE bcm2837.cpu0 }
set ebb_through ap
set EBB_ENTRY 0x80000
# Power management, watchdog (BCM2835 peripherals, as Linux's bcm2835_wdt knows them).
set EBB_PM_RSTC 0x3f10001c
set EBB_PM_WDOG 0x3f100024

# --- memory

# count words from physical address pa on, as numbers
proc ebb_words {pa count} {
	global EBB_AP EBB_CORE ebb_through
	if {$ebb_through eq "ap"} {
		return [$EBB_AP read_memory $pa 32 $count]
	}
	return [$EBB_CORE read_memory [format 0xffffff%02x%08x [expr {0x80 | $pa >> 32}] \
	    [expr {$pa & 0xffffffff}]] 32 $count]
}

proc ebb_quad {pa} {
	set words [ebb_words $pa 2]
	return [expr {[lindex $words 0] | ([lindex $words 1] & 0x7fffffff) << 32}]
}

# physical address of a kernel address without its upper bits
proc ebb_physical {va} {
	global ebb_sym
	if {$va < 1 << 38} { return $va }
	set table $ebb_sym(kmap_l1)
	foreach shift {30 21 12} {
		set entry [ebb_quad [expr {$table + (($va >> $shift) & 511) * 8}]]
		if {!($entry & 1)} { error [format "0x%x is not mapped in the kernel" $va] }
		set table [expr {$entry & 0xfffffffff000}]
		if {$shift == 12 || !($entry & 2)} {
			set mask [expr {(1 << $shift) - 1}]
			return [expr {$table & ~$mask | $va & $mask}]
		}
	}
}

# the words of a struct at va, which does not cross a page unless directly mapped
proc ebb_struct {va name} {
	global ebb_size
	return [ebb_words [ebb_physical $va] [expr {($ebb_size($name) + 3) / 4}]]
}

# a number at a byte offset of such words
proc ebb_number {words offset size} {
	set value [lindex $words [expr {$offset / 4}]]
	if {$size >= 8} {
		return [expr {$value | [lindex $words [expr {$offset / 4 + 1}]] << 32}]
	}
	return [expr {($value >> ($offset % 4 * 8)) & ((1 << $size * 8) - 1)}]
}

proc ebb_field {words member} {
	global ebb_off
	if {![info exists ebb_off($member)]} { ebb_need_symbols }
	lassign $ebb_off($member) offset size
	return [ebb_number $words $offset $size]
}

# a pointer of a struct: its lower 39 bits
proc ebb_pointer {words member} {
	return [expr {[ebb_field $words $member] & 0x7fffffffff}]
}

# characters of words from byte offset on, to the first zero
proc ebb_characters {words offset count} {
	set text ""
	for {set i $offset} {$i < $offset + $count} {incr i} {
		set c [ebb_number $words $i 1]
		if {$c == 0} { break }
		append text [format %c $c]
	}
	return $text
}

proc ebb_text {va count} {
	set skip [expr {$va & 3}]
	set words [ebb_words [expr {[ebb_physical $va] - $skip}] [expr {($skip + $count + 3) / 4}]]
	return [ebb_characters $words $skip $count]
}

proc ebb_need_symbols {} {
	global ebb_sym
	if {![info exists ebb_sym]} {
		error "no symbols: make debug-symbols, then: ebb symbols build/raspi3/ebb-symbols.tcl"
	}
}

# seconds of a number of the counter's cycles
proc ebb_seconds {cycles} {
	global ebb_sym ebb_hz
	if {![info exists ebb_hz]} { set ebb_hz [ebb_quad $ebb_sym(hz)] }
	if {$ebb_hz == 0} { return 0.000000 }
	return [format %d.%06d [expr {$cycles / $ebb_hz}] [expr {$cycles % $ebb_hz * 1000000 / $ebb_hz}]]
}

# --- commands

proc ebb_queues {} {
	global ebb_sym ebb_size ebb_off
	set count [lindex [ebb_words $ebb_sym(vm_domain_count) 1] 0]
	for {set i 0} {$i < $count} {incr i} {
		set d [ebb_struct [expr {$ebb_sym(vm_domains) + $i * $ebb_size(vm_domain)}] vm_domain]
		foreach field {id v_page_count v_free_count v_cache_count v_wire_count v_free_reserved
		    v_free_severe v_free_min v_free_target v_inactive_target pageout_wakeup_thresh
		    vm_pageout_deficit vm_pages_needed waiters pass} {
			set $field [ebb_field $d vm_domain.$field]
		}
		set at [expr {[lindex $ebb_off(vm_domain.pagequeues) 0] + [lindex $ebb_off(vm_pagequeue.count) 0]}]
		set inactive [ebb_number $d $at 4]
		set active [ebb_number $d [expr {$at + $ebb_size(vm_pagequeue)}] 4]
		echo "domain $id: $v_page_count pages; free $v_free_count, cache $v_cache_count, active $active, inactive $inactive, wired $v_wire_count"
		echo "  thresholds: wakeup $pageout_wakeup_thresh, target $v_free_target, min $v_free_min, severe $v_free_severe, reserved $v_free_reserved, inactive target $v_inactive_target"
		set daemon [expr {$vm_pages_needed ? "asked for pages" : "at rest"}]
		echo "  page daemon: $daemon, pass $pass, $waiters waiting for pages, deficit $vm_pageout_deficit"
	}
}

proc ebb_tasks {} {
	global ebb_sym ebb_off
	set states {ready run sleep end}
	echo " TASK   PID STATE WAIT            TIME s NAME"
	set at [expr {[ebb_quad $ebb_sym(tasks)] & 0x7fffffffff}]
	for {set n 0} {$at != 0 && $n < 4096} {incr n} {
		set t [ebb_struct $at task]
		set wait ""
		set state [ebb_field $t task.state]
		if {$state == 2 && [ebb_pointer $t task.wmesg] != 0} {
			set wait [ebb_text [ebb_pointer $t task.wmesg] 8]
		}
		set proc [ebb_pointer $t task.proc]
		set pid -
		if {$proc != 0} {
			set pid [lindex [ebb_words [expr {[ebb_physical $proc] + [lindex $ebb_off(proc.pid) 0]}] 1] 0]
			set pid [expr {$pid + 0}]
		}
		lassign $ebb_off(task.name) offset size
		echo [format "%5d %5s %-5s %-8s %13s %s" [ebb_field $t task.id] $pid \
		    [lindex $states $state] $wait [ebb_seconds [ebb_field $t task.run_cycles]] \
		    [ebb_characters $t $offset $size]]
		set at [ebb_pointer $t task.all_link]
	}
}

proc ebb_trace {{count 16}} {
	global ebb_sym ebb_size ebb_events
	set written [ebb_quad $ebb_sym(written)]
	if {$count > $ebb_sym(trace_records)} { set count $ebb_sym(trace_records) }
	if {$count > $written} { set count $written }
	for {set n [expr {$written - $count}]} {$n < $written} {incr n} {
		set r [ebb_struct [expr {$ebb_sym(trace) +
		    $n % $ebb_sym(trace_records) * $ebb_size(trace_record)}] trace_record]
		set event [lindex $ebb_events [ebb_field $r trace_record.event]]
		set line "[ebb_seconds [ebb_field $r trace_record.cycles]] task [ebb_field $r trace_record.task_id] [lindex $event 0]"
		foreach field {a b c} word [lrange $event 1 3] {
			if {$word ne ""} {
				append line [format ", %s 0x%lx" $word [ebb_field $r trace_record.$field]]
			}
		}
		echo $line
	}
}

# In pieces of at most 256 words, so that neighbours are read together.
proc ebb_stats {{prefix ""}} {
	global ebb_stats
	set start 0
	set end 0
	foreach row $ebb_stats {
		lassign $row name kind address
		if {[string first $prefix $name] != 0} { continue }
		if {$address < $start || $address + 8 > $end} {
			set start $address
			set end [expr {$address + 8}]
			foreach other $ebb_stats {
				set to [expr {[lindex $other 2] + 8}]
				if {$to > $end && $to <= $start + 1024 && [string first $prefix [lindex $other 0]] == 0} {
					set end $to
				}
			}
			set words [ebb_words $start [expr {($end - $start) / 4}]]
		}
		echo "$name = [ebb_number $words [expr {$address - $start}] 8]"
	}
}

# Bytes into RAM past the cores, read back and compared.
proc ebb_put {image address} {
	global EBB_AP EBB_CORE
	set back "$image.readback"
	targets $EBB_AP
	load_image $image $address bin
	dump_image $back $address [file size $image]
	set wrong [catch {exec cmp $image $back} said]
	file delete $back
	targets $EBB_CORE
	if {$wrong} { error "what was read back differs: $said" }
	echo "$image: [file size $image] bytes at $address, read back and compared"
}

proc ebb_load {image} {
	global EBB_ENTRY EBB_CORE
	targets $EBB_CORE
	halt 1000
	set cpsr [dict get [get_reg cpsr] cpsr]
	if {($cpsr & 0xc) < 8} {
		error "core 0 is past its start (EL[expr {$cpsr >> 2 & 3}], MMU and caches on): ebb reset first; the card's kernel8.img must be the one that waits (docs/DEBUGGING.md)"
	}
	ebb_put $image $EBB_ENTRY
	# x0 is still the firmware's device tree.
	reg pc $EBB_ENTRY
	resume
	echo "started at $EBB_ENTRY"
}

proc ebb_halt {} {
	global EBB_CORE
	targets $EBB_CORE
	halt 1000
}

# The whole chip, as the watchdog does it: the firmware boots the card again.
proc ebb_reset {} {
	global EBB_AP EBB_PM_RSTC EBB_PM_WDOG
	set rstc [lindex [$EBB_AP read_memory $EBB_PM_RSTC 32 1] 0]
	$EBB_AP write_memory $EBB_PM_WDOG 32 [list 0x5a00000a]
	$EBB_AP write_memory $EBB_PM_RSTC 32 [list [expr {0x5a000000 | $rstc & 0xffffcf | 0x20}]]
	echo "reset; the firmware needs some seconds"
}

proc ebb_help {} {
	echo "ebb symbols FILE   read build/raspi3/ebb-symbols.tcl, of the very kernel that runs"
	echo "ebb load IMAGE     into RAM and start it; core 0 must be at EL2 still"
	echo "ebb put IMAGE PA   only into RAM, read back and compared"
	echo "ebb halt           stop core 0; resume goes on"
	echo "ebb reset          restart the chip, firmware and card included"
	echo "ebb queues         page queues and thresholds of each memory domain"
	echo "ebb tasks          every task: state, what it waits for, time"
	echo "ebb trace \[N]      the last N events (16)"
	echo "ebb stats \[PREFIX] tunables and statistics; gauges are as old as the last sysctl"
	echo "ebb through ap     read memory past the cores, nothing stops; misses dirty lines of"
	echo "                   their caches, so values may be old"
	echo "ebb through core   read through core 0, halted in the kernel: what the cache holds too"
}

proc ebb {{command help} args} {
	global ebb_through ebb_hz
	switch -- $command {
		symbols { uplevel #0 [list source [lindex $args 0]]; unset -nocomplain ebb_hz }
		queues - tasks - trace - stats { ebb_need_symbols; eval ebb_$command $args }
		put - load - halt - reset - help { eval ebb_$command $args }
		through {
			if {$args ne "ap" && $args ne "core"} { error "expected ap or core" }
			set ebb_through $args
		}
		default { error "ebb $command: ebb help lists the commands" }
	}
}

add_help_text ebb "load, start, halt, reset, and look at ebb; ebb help lists the commands"
add_usage_text ebb "\[help|symbols|load|put|halt|reset|queues|tasks|trace|stats|through] ..."
