/* Two CPUs in one frequency domain with four performance states. The register that holds the state
   is a port of QEMU's pc-testdev, which keeps what is written, so that the driver reads it back. */
DefinitionBlock ("", "SSDT", 2, "TUNER ", "CPUCLOCK", 1)
{
    External (\_SB.CPUS.C000, ProcessorObj)
    External (\_SB.CPUS.C001, ProcessorObj)
    Scope (\_SB)
    {
        Name (STAT, Package () /* MHz, mW, latencies in us, control, status */
        {
            Package () { 2800, 40000, 10, 10, 0x1C, 0x1C },
            Package () { 2200, 27000, 10, 10, 0x16, 0x16 },
            Package () { 1600, 17000, 10, 10, 0x10, 0x10 },
            Package () { 1000, 10000, 10, 10, 0x0A, 0x0A }
        })
        Name (PORT, Package ()
        {
            ResourceTemplate () { Register (SystemIO, 32, 0, 0xE0, ,) },
            ResourceTemplate () { Register (SystemIO, 32, 0, 0xE0, ,) }
        })
        Name (DOMN, Package () { Package () { 5, 0, 0, 0xFC, 2 } })
    }
    Scope (\_SB.CPUS.C000)
    {
        Method (_PCT, 0) { Return (\_SB.PORT) }
        Method (_PSS, 0) { Return (\_SB.STAT) }
        Method (_PSD, 0) { Return (\_SB.DOMN) }
        Name (_PPC, 0)
    }
    Scope (\_SB.CPUS.C001)
    {
        Method (_PCT, 0) { Return (\_SB.PORT) }
        Method (_PSS, 0) { Return (\_SB.STAT) }
        Method (_PSD, 0) { Return (\_SB.DOMN) }
        Name (_PPC, 0)
    }
}
