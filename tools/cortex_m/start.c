/* The least a Cortex-M needs to run main and to say what it returned: a vector table, and an exit by semihosting. */
#include <stdint.h>

extern uint32_t stack_top[];
extern uint32_t bss_start[];
extern uint32_t bss_end[];

int main(void);
void reset(void);

static void leave(uint32_t code)
{
    const uint32_t block[2] = {0x20026u, code}; /* ADP_Stopped_ApplicationExit */
    register uint32_t operation __asm__("r0") = 0x20u; /* SYS_EXIT_EXTENDED */
    register const uint32_t *argument __asm__("r1") = block;
    __asm__ volatile("bkpt 0xab" : : "r"(operation), "r"(argument) : "memory");
    for (;;) {
    }
}

static void fault(void)
{
    leave(250u);
}

void reset(void)
{
#ifdef __ARM_FP
    *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20; /* let the floating-point unit work */
    __asm__ volatile("dsb\n isb");
#endif
    for (uint32_t *p = bss_start; p < bss_end; ++p) {
        *p = 0;
    }
    leave((uint32_t)main());
}

typedef void (*handler)(void);

__attribute__((section(".vectors"), used)) static const handler vectors[16] = {
    (handler)(uintptr_t)stack_top, reset, fault, fault, fault, fault, fault,
};
