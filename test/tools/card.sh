# SPDX-License-Identifier: BSD-2-Clause
# flash_card, firmware_files and install_boot refuse what they should, and write what they say.
exec python3 -W error::ResourceWarning test/card/test_card.py
